"""Reads the lists of revoked client certificates; the one place that opens these files."""

from functools import lru_cache
from pathlib import Path

from cryptography import x509

from web.errors import CertificateRefused

BEGIN = b"-----BEGIN X509 CRL-----"
MAX_LIST_BYTES = 64 * 1024 * 1024

Lists = tuple[x509.CertificateRevocationList, ...]


def read_revocations(crl: Path | None, authority: Path | None) -> Lists:
    """The lists as they are on the disk now; none without a file. Raises CertificateRefused.

    A list that cannot be read, or that the authority did not sign, refuses every certificate:
    otherwise whoever breaks the file gives all revoked certificates back.
    """
    if crl is None:
        return ()
    if authority is None:
        raise CertificateRefused("There is no authority to check its revocation list with.")
    try:
        return _read(crl, _stamp(crl), authority, _stamp(authority))
    except (OSError, ValueError) as error:
        raise CertificateRefused("Its revocation list cannot be read.") from error


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    if found.st_size > MAX_LIST_BYTES:
        raise ValueError(path)
    return found.st_mtime_ns, found.st_size


# A list can be megabytes long: it is read again only when the file is another one.
@lru_cache(maxsize=2)
def _read(
    crl: Path, _crl_stamp: tuple[int, int], authority: Path, _authority_stamp: tuple[int, int]
) -> Lists:
    authorities = x509.load_pem_x509_certificates(authority.read_bytes())
    lists = _parse(crl.read_bytes())
    for one in lists:
        if not any(_signed_by(one, issuer) for issuer in authorities):
            raise CertificateRefused("Its revocation list is not signed by the authority.")
    return lists


def _parse(content: bytes) -> Lists:
    if BEGIN not in content:
        return (x509.load_der_x509_crl(content),)
    parts = content.split(BEGIN)[1:]
    return tuple(x509.load_pem_x509_crl(BEGIN + part) for part in parts)


def _signed_by(one: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    if one.issuer != issuer.subject:
        return False
    try:
        return one.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except TypeError:
        return False
