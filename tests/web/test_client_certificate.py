"""AUT-2: client certificates of an authority of our own, in every way that they can be wrong."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from web.client_certificate import check_certificate, identity_of
from web.errors import CertificateRefused
from web.testing_certificates import DAY, NAME, NOW, WRONG, Authority, email, pem, settings_of


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def test_aut_2_a_good_certificate_names_its_person(authority: Authority) -> None:
    """The identity is the name of the kind that the settings ask for, never the common name."""
    issued = authority.issue(names=email("Ward7@Hospital.example"))
    found = check_certificate(issued.der, NOW, "email", [])
    assert (found.issuer, found.subject) == ("mtls", NAME)
    assert found.serial == issued.certificate.serial_number
    assert found.expires_at == NOW + DAY


@pytest.mark.parametrize(
    ("kind", "name", "subject"),
    [
        (
            "uri",
            x509.UniformResourceIdentifier("spiffe://hospital/ward7"),
            "spiffe://hospital/ward7",
        ),
        ("dns", x509.DNSName("ward7.hospital.example"), "ward7.hospital.example"),
    ],
)
def test_aut_2_the_kind_of_name_is_a_setting(
    authority: Authority, kind: str, name: x509.GeneralName, subject: str
) -> None:
    """Other names in the certificate do not count."""
    issued = authority.issue(names=[name, *email()])
    assert check_certificate(issued.der, NOW, kind, []).subject == subject


@pytest.mark.parametrize("case", WRONG)
def test_aut_2_a_wrong_certificate_is_refused(authority: Authority, case: str) -> None:
    """Each rule by itself, even if the TLS layer had let it pass."""
    changes, reason = WRONG[case]
    issued = authority.issue(**({"names": email()} | changes))
    with pytest.raises(CertificateRefused, match=reason):
        check_certificate(issued.der, NOW, "email", [])


def test_aut_2_what_is_no_certificate_is_refused() -> None:
    """Bytes from outside."""
    for der in (b"", b"0", b"\x30\x82\xff\xff" + bytes(100)):
        with pytest.raises(CertificateRefused, match="cannot be read"):
            check_certificate(der, NOW, "email", [])


def test_aut_2_a_revoked_certificate_is_refused(authority: Authority) -> None:
    """And one that is not in the list passes."""
    bad, good = authority.issue(names=email()), authority.issue(names=email())
    lists = [authority.revoke(bad.certificate.serial_number)]
    with pytest.raises(CertificateRefused, match="revoked"):
        check_certificate(bad.der, NOW, "email", lists)
    assert check_certificate(good.der, NOW, "email", lists).subject == NAME


def test_aut_2_a_silent_list_acquits_nobody(authority: Authority) -> None:
    """An old list, or one of another authority, refuses everybody."""
    issued = authority.issue(names=email())
    with pytest.raises(CertificateRefused, match="out of date"):
        check_certificate(
            issued.der, NOW, "email", [authority.revoke(next_update=NOW - timedelta(seconds=1))]
        )
    with pytest.raises(CertificateRefused, match="no revocation list"):
        check_certificate(issued.der, NOW, "email", [Authority("Another").revoke()])


def test_aut_2_the_revocation_list_is_read_again_when_it_changes(
    authority: Authority, tmp_path: Path
) -> None:
    """Revoking needs no restart; a list that is broken or of a stranger refuses everybody."""
    settings = settings_of(tmp_path, authority)
    assert settings.client_crl is not None
    issued = authority.issue(names=email())
    assert identity_of(issued.der, NOW, settings).subject == NAME
    strangers = Authority().revoke()
    for content, reason in (
        (pem(authority.revoke(issued.certificate.serial_number)), "revoked"),
        (pem(strangers), "not signed"),
        (b"broken", "cannot be read"),
    ):
        settings.client_crl.write_bytes(content)
        with pytest.raises(CertificateRefused, match=reason):
            identity_of(issued.der, NOW, settings)
    settings.client_crl.unlink()
    with pytest.raises(CertificateRefused, match="cannot be read"):
        identity_of(issued.der, NOW, settings)
