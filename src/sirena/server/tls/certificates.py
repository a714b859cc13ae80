"""The entry's TLS certificate: the hospital's files, Let's Encrypt's, or one made by Sirena for a first start."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.secret_files import write_private
from sirena.host.whole_files import replace_whole
from sirena.server.tls.certificate_making import builder, make_authority, now, pem, subject
from sirena.settings.catalogue import CertificateSource, Settings

_AUTHORITY_DAYS: Final = 3650
_SERVER_DAYS: Final = 397
_RENEW_DAYS: Final = 30
_OTHERS_READ: Final = 0o077


@dataclass(frozen=True)
class CertificatePaths:
    """Files of a TLS certificate and its key."""

    chain: Path
    """Certificate with its chain, PEM."""
    key: Path
    """Private key, PEM."""


def lets_encrypt_paths(settings: Settings) -> CertificatePaths:
    """Return the paths at which certbot keeps the entry's certificate."""
    live = settings.home / "acme" / "config" / "live" / settings.server_name
    return CertificatePaths(live / "fullchain.pem", live / "privkey.pem")


def entry_certificate(settings: Settings) -> CertificatePaths:
    """Return the TLS certificate for the entry, which is checked, or made if needed.

    Until Let's Encrypt has issued a certificate, the entry runs with a self-made one, since it must answer the
    challenge.

    Raises:
        PreparationError: the hospital's files are missing, cannot be read, do not belong together, have expired or are
            not valid yet, are for another name, or other accounts can read the key.
    """
    if settings.tls is CertificateSource.FILES:
        return given_paths(settings)
    paths = standing_paths(settings)
    return paths if paths == lets_encrypt_paths(settings) else self_made(settings)


def standing_paths(settings: Settings) -> CertificatePaths:
    """Return the paths of the entry's TLS certificate, without making or checking it; the files may be missing.

    Raises:
        PreparationError: `SIRENA_TLS=files` is set without the settings of the files.
    """
    if settings.tls is CertificateSource.FILES:
        if not settings.tls_certificate or not settings.tls_key:
            raise PreparationError(
                "SIRENA_TLS=files without files", hint="set SIRENA_TLS_CERTIFICATE and SIRENA_TLS_KEY to PEM files"
            )
        return CertificatePaths(settings.tls_certificate.absolute(), settings.tls_key.absolute())
    issued_paths = lets_encrypt_paths(settings)
    if settings.tls is CertificateSource.LETS_ENCRYPT and issued_paths.chain.exists():
        return issued_paths
    return _self_made_paths(settings)


def authority_file(settings: Settings) -> Path:
    """Return the file with the certificate of Sirena's own authority, which clients must trust."""
    return settings.home / "tls" / "authority.pem"


def days_left(chain: Path) -> int:
    """Return the whole days for which a certificate is still valid; negative if it has expired."""
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    return (certificate.not_valid_after_utc - now()).days


def is_valid_yet(chain: Path) -> bool:
    """Tell whether a certificate is valid already; a certificate made while the clock was ahead may not be."""
    return x509.load_pem_x509_certificate(chain.read_bytes()).not_valid_before_utc <= now()


def self_made(settings: Settings, *, anew: bool = False) -> CertificatePaths:
    """Return the TLS certificate signed by Sirena's own authority; make it if there is none.

    It is made anew if it is near its end, is for another name, or was made while the clock was ahead.

    Args:
        settings: settings of the stack.
        anew: True to make it anew in any case, as after a loss of its key; the authority stays.
    """
    folder = settings.home / "tls"
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    paths = _self_made_paths(settings)
    if not anew and _holds(paths.chain, _RENEW_DAYS) and settings.server_name in _names(paths.chain):
        return paths
    own = OsAccount.of_this_process()
    authority, authority_key = _authority(settings, own)
    key = ec.generate_private_key(ec.SECP256R1())
    name = settings.server_name
    certificate = (
        builder(subject(name), authority.subject, key, _SERVER_DAYS)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(name)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(paths.key, pem(key), own)
    replace_whole(paths.chain, certificate.public_bytes(serialization.Encoding.PEM))
    return paths


def given_paths(settings: Settings) -> CertificatePaths:
    """Check the hospital's own TLS certificate, and return it.

    Raises:
        PreparationError: for the reasons of `entry_certificate`.
    """
    paths = standing_paths(settings)
    try:
        certificate = x509.load_pem_x509_certificate(paths.chain.read_bytes())
        key = serialization.load_pem_private_key(paths.key.read_bytes(), password=None)
    except OSError as error:
        raise PreparationError(
            f"{error.filename} cannot be read: {error.strerror}",
            hint="check SIRENA_TLS_CERTIFICATE and SIRENA_TLS_KEY, and the rights of both files",
        ) from error
    except (ValueError, TypeError) as error:
        raise PreparationError(
            f"the certificate or its key cannot be read: {type(error).__name__}",
            hint="both must be PEM, the key without a password",
        ) from error
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise PreparationError(
            f"{paths.key} is not the key of {paths.chain}",
            hint="set SIRENA_TLS_CERTIFICATE and SIRENA_TLS_KEY to files that were made together",
        )
    if days_left(paths.chain) < 0:
        raise PreparationError(f"{paths.chain} has expired", hint="put a newer certificate there, then `sirena up`")
    if not is_valid_yet(paths.chain):
        raise PreparationError(f"{paths.chain} is not valid yet", hint="check this machine's clock: `timedatectl`")
    if not _covers(paths.chain, settings.server_name):
        raise PreparationError(f"{paths.chain} is not for {settings.server_name}", hint="check SIRENA_SERVER_NAME")
    if paths.key.stat().st_mode & _OTHERS_READ:
        raise PreparationError(f"others can read {paths.key}", hint=f"chmod 600 {paths.key}")
    return paths


def _holds(chain: Path, days: int) -> bool:
    return chain.exists() and days_left(chain) > days and is_valid_yet(chain)


def _self_made_paths(settings: Settings) -> CertificatePaths:
    folder = settings.home / "tls"
    return CertificatePaths(folder / "server.pem", folder / "server.key")


def _authority(settings: Settings, own: OsAccount) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    file, key_file = authority_file(settings), authority_file(settings).with_suffix(".key")
    if key_file.exists() and _holds(file, _SERVER_DAYS):
        authority_key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
        return x509.load_pem_x509_certificate(file.read_bytes()), authority_key
    certificate, key = make_authority(f"Sirena's own authority for {settings.server_name}", _AUTHORITY_DAYS)
    write_private(key_file, pem(key), own)
    replace_whole(file, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _alternative_names(name: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    if name != "localhost":
        names.insert(0, x509.DNSName(name))
    return names


def _names(chain: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _covers(chain: Path, name: str) -> bool:
    wildcard = f"*.{name.partition('.')[2]}"
    return any(certificate_name.lower() in (name.lower(), wildcard.lower()) for certificate_name in _names(chain))
