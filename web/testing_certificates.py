"""For tests: a certificate authority of our own, which also issues what it never should."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from governance.clock import utc_now
from web.config import WebSettings

# The real time, because the TLS layer looks at no other clock.
NOW = utc_now().replace(microsecond=0)
DAY = timedelta(days=1)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
NAME = "ward7@hospital.example"


@dataclass
class Issued:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        """As the TLS layer hands it on."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def save(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both as PEM files."""
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        paths[0].write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        paths[1].write_bytes(
            self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return paths


@dataclass
class Authority:
    """A certificate authority."""

    name: str = "Test authority"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.certificate = self.issue(self.name, usage=None, names=None, ca=True).certificate

    def issue(
        self,
        common_name: str = "ward7",
        usage: x509.ObjectIdentifier | None = CLIENT,
        names: list[x509.GeneralName] | None = None,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + DAY,
        ca: bool = False,
        self_signed: bool = False,
    ) -> Issued:
        """A certificate as it is asked for."""
        key = self.key if ca else ec.generate_private_key(ec.SECP256R1())
        subject = _name(common_name)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else _name(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if usage is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Issued(builder.sign(key if self_signed else self.key, hashes.SHA256()), key)

    def revoke(
        self, *serials: int, next_update: datetime = NOW + DAY
    ) -> x509.CertificateRevocationList:
        """A revocation list."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(_name(self.name))
            .last_update(min(NOW, next_update) - DAY)
            .next_update(next_update)
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def email(name: str = NAME) -> list[x509.GeneralName]:
    """The name of a person, by mail address."""
    return [x509.RFC822Name(name)]


# How a certificate is issued wrong, and what the refusal says of it.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "expired": ({"begins": NOW - 2 * DAY, "ends": NOW - DAY}, "expired"),
    "not yet": ({"begins": NOW + DAY, "ends": NOW + 2 * DAY}, "not hold yet"),
    "for servers": ({"usage": SERVER}, "not for clients"),
    "for anything": ({"usage": None}, "does not say"),
    "of an authority": ({"ca": True}, "authority, not to a person"),
    "without a name": ({"names": None}, "names nobody"),
    "with another kind of name": ({"names": [x509.DNSName("ward7")]}, "exactly one name"),
    "with two names": ({"names": email() + email("other@hospital.example")}, "exactly one name"),
}


def settings_of(folder: Path, authority: Authority) -> WebSettings:
    """Settings with a server certificate, the authority and an empty revocation list."""
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    certificate, key = authority.issue("server", SERVER, names).save(folder, "server")
    ca, crl = folder / "ca.pem", folder / "ca.crl"
    ca.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    crl.write_bytes(pem(authority.revoke()))
    return WebSettings(tls_certificate=certificate, tls_key=key, client_ca=ca, client_crl=crl)


def pem(one: x509.CertificateRevocationList) -> bytes:
    """A revocation list as it is kept in a file."""
    return one.public_bytes(serialization.Encoding.PEM)
