"""Settings of the identity provider that cannot hold are refused before anybody is sent there."""

from pathlib import Path

import pytest

from web.config import WebSettings
from web.errors import BadProviderSettings
from web.identity_provider import IdentityProvider, is_safe_address
from web.testing_oidc import (
    CLIENT,
)


@pytest.mark.parametrize(
    "settings",
    [
        WebSettings(),
        WebSettings(oidc_issuer="https://idp.example"),
        WebSettings(oidc_issuer="http://idp.example", oidc_client_id=CLIENT),
        WebSettings(oidc_issuer="ftp://127.0.0.1", oidc_client_id=CLIENT),
        WebSettings(
            oidc_issuer="https://idp.example", oidc_client_id=CLIENT, oidc_ca_file=Path("none.pem")
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: WebSettings) -> None:
    """Before anybody is sent anywhere."""
    with pytest.raises(BadProviderSettings, match="identity provider"):
        IdentityProvider(settings)


def test_an_address_is_https_or_this_machine() -> None:
    """Everything that goes there is a secret."""
    for good in (
        "https://a.example/x",
        "http://127.0.0.1:1/x",
        "http://[::1]/",
        "http://localhost",
    ):
        assert is_safe_address(good)
    for bad in (
        "http://10.0.0.1/",
        "http://localhost.evil.example",
        "https://",
        "",
        "https://u@h/",
        "https://h/#f",
        "javascript:1",
        "http://[::1",
    ):
        assert not is_safe_address(bad)
