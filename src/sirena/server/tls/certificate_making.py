"""Making TLS certificates, for the entry and for the parts behind it."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def make_authority(name: str, days: int) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return certificate and key of a new authority, which can sign servers and clients but no further authority.

    Args:
        name: common name of the authority; cut to the 64 characters that a certificate allows.
        days: number of days for which its certificate is valid.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    common = subject(name)
    certificate = (
        builder(common, common, key, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return certificate, key


def builder(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    """Return the builder of a certificate, to be extended and signed; the certificate is valid from an hour ago."""
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - datetime.timedelta(hours=1))
        .not_valid_after(now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def subject(common: str) -> x509.Name:
    """Return an X.509 name with a common name alone, cut to the 64 characters that a certificate allows."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    """Return a private key as PEM text without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def now() -> datetime.datetime:
    """Return the current time in UTC."""
    return datetime.datetime.now(datetime.UTC)
