"""Whom a client certificate names, and when it names nobody.

The TLS layer has already checked the chain up to the configured authority; here stand the rules
that it does not check, or that must hold even if it did not: a certificate for clients, in its
time, not revoked, with exactly one name of the kind that the settings ask for. `check_certificate`
is pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from starlette.types import Scope

from web.config import WebSettings
from web.errors import CertificateRefused
from web.revocations import read_revocations

# Where the TLS layer puts the DER bytes of the connection's certificate into the scope of each
# request; no header gets there.
EXTENSION = "lamplight.client_certificate"
MAX_NAME_CHARS = 255
ISSUER = "mtls"


@dataclass(frozen=True, slots=True)
class CertificateIdentity:
    """The identity of a certificate; `issuer` and `subject` are what the record knows."""

    subject: str
    serial: int
    expires_at: datetime
    issuer: str = ISSUER


def certificate_of(scope: Scope) -> bytes | None:
    """The certificate of the connection that a request came by, in DER."""
    der = scope.get("extensions", {}).get(EXTENSION)
    return der if isinstance(der, bytes) else None


def identity_of(der: bytes, now: datetime, settings: WebSettings) -> CertificateIdentity:
    """Whom the certificate of a TLS connection names. Raises CertificateRefused.

    Its revocation lists are read again when their file changes.
    """
    lists = read_revocations(settings.client_crl, settings.client_ca)
    return check_certificate(der, now, settings.client_name_kind, lists)


def check_certificate(
    der: bytes, now: datetime, name_kind: str, lists: Sequence[x509.CertificateRevocationList]
) -> CertificateIdentity:
    """Apply every rule to one certificate. Raises CertificateRefused."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        raise CertificateRefused("It cannot be read.") from error
    _check_time(certificate, now)
    _check_purpose(extensions)
    _check_revocation(certificate, now, lists)
    return CertificateIdentity(
        _name(extensions, name_kind), certificate.serial_number, certificate.not_valid_after_utc
    )


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        raise CertificateRefused("It has expired.")
    if now < certificate.not_valid_before_utc:
        raise CertificateRefused("It does not hold yet.")


def _check_purpose(extensions: x509.Extensions) -> None:
    try:
        usage = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateRefused("It does not say that it is for clients.") from error
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise CertificateRefused("It is not for clients.")
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if constraints.ca:
        raise CertificateRefused("It belongs to an authority, not to a person.")


def _check_revocation(
    certificate: x509.Certificate, now: datetime, lists: Sequence[x509.CertificateRevocationList]
) -> None:
    """With lists configured, silence is no acquittal: one of them must be of this issuer."""
    if not lists:
        return
    own = [one for one in lists if one.issuer == certificate.issuer]
    if not own:
        raise CertificateRefused("There is no revocation list of its issuer.")
    for one in own:
        if one.next_update_utc is not None and one.next_update_utc < now:
            raise CertificateRefused("The revocation list of its issuer is out of date.")
        if one.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise CertificateRefused("It was revoked.")


def _name(extensions: x509.Extensions, kind: str) -> str:
    try:
        names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise CertificateRefused("It names nobody.") from error
    found = _READ[kind](names)
    if len(found) != 1:
        raise CertificateRefused(f"It must hold exactly one name of the kind {kind}.")
    name = found[0].lower() if kind != "uri" else found[0]
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise CertificateRefused("Its name cannot be used.")
    return name


_READ: dict[str, Callable[[x509.SubjectAlternativeName], list[str]]] = {
    "email": lambda names: names.get_values_for_type(x509.RFC822Name),
    "uri": lambda names: names.get_values_for_type(x509.UniformResourceIdentifier),
    "dns": lambda names: names.get_values_for_type(x509.DNSName),
}
NAME_KINDS = tuple(_READ)
