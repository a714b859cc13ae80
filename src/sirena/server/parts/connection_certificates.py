"""Making the TLS certificates of MLflow and its clients, and the folders of the parts' sockets."""

import datetime
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sirena.host.accounts import OsAccount
from sirena.host.secret_files import write_private
from sirena.host.whole_files import replace_whole
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.tls.certificate_making import builder, make_authority, now, pem, subject

SOCKET_PARTS: Final = ("service", "pages", "access")
"""Parts that listen on a Unix socket in a folder of their own, which NGINX's workers may enter."""
_DAYS: Final = 3650
_RENEWED_BEFORE: Final = datetime.timedelta(days=400)
"""How long before their end all certificates are made anew by the next `sirena up`."""
_ENTER_AS_GROUP: Final = 0o710


def prepare_connections(connections: PartConnections, accounts: PartAccounts) -> None:
    """Make missing or expiring certificates and missing folders, and give each to its account; repeating it is safe.

    Args:
        connections: connections and certificates of the stack.
        accounts: accounts of the parts; all must exist.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    connections.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    connections.folder.chmod(0o755)
    owners = dict(_owners(connections, accounts))
    if not all(_lasts(path) for path in (connections.authority, *owners)):
        _make_certificates(connections, owners)
    for path, owner in owners.items():
        owner.own(path)
    for part in SOCKET_PARTS:
        _prepare_folder(connections.socket_of(part).parent, getattr(accounts, part), accounts.entry)
    _prepare_folder(connections.pages_desk.parent, accounts.access, accounts.pages)


def _owners(connections: PartConnections, accounts: PartAccounts) -> Iterator[tuple[Path, OsAccount]]:
    yield connections.mlflow_server, accounts.mlflow
    yield connections.identity("service").certificate, accounts.service
    yield connections.identity("pages").certificate, accounts.pages
    yield connections.identity("access").certificate, accounts.access
    yield connections.identity().certificate, OsAccount.of_this_process()


def _prepare_folder(folder: Path, owner: OsAccount, visitor: OsAccount) -> None:
    """Make a folder in which one account can create a socket and one other account can connect to it."""
    owner.own_folder(folder)
    folder.chmod(0o700)
    if visitor.is_other or owner.is_other:
        visitor.give_group(folder)
        folder.chmod(_ENTER_AS_GROUP)


def _make_certificates(connections: PartConnections, owners: dict[Path, OsAccount]) -> None:
    """Make a new authority and all certificates at once; its key is kept nowhere, so nobody can make a further one."""
    authority, key = make_authority("Sirena's doors", _DAYS)
    for path, owner in owners.items():
        certificate = _signed_certificate(path.stem, authority, key)
        write_private(path, certificate, owner)
    replace_whole(connections.authority, authority.public_bytes(serialization.Encoding.PEM))


def _signed_certificate(name: str, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    is_server = name == "mlflow"
    usage = ExtendedKeyUsageOID.SERVER_AUTH if is_server else ExtendedKeyUsageOID.CLIENT_AUTH
    certificate_builder = (
        builder(subject(f"Sirena's {name}"), authority.subject, key, _DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if is_server:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("mlflow")])
        certificate_builder = certificate_builder.add_extension(names, critical=False)
    certificate = certificate_builder.sign(authority_key, hashes.SHA256())
    return pem(key) + certificate.public_bytes(serialization.Encoding.PEM).decode()


def _lasts(path: Path) -> bool:
    """Tell whether a certificate exists, is valid already and is not near its end."""
    if not path.exists():
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.not_valid_before_utc <= now() < certificate.not_valid_after_utc - _RENEWED_BEFORE
