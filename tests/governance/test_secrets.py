"""The platform's own keys: made once, reachable by its account alone, never printed."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.errors import SecretUnsafe
from governance.secrets import Secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path / "data" / "keys")


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def test_a_key_is_made_once_and_stays(secrets: Secrets, tmp_path: Path) -> None:
    """Who opens the same folder again reads the same keys."""
    again = Secrets(tmp_path / "data" / "keys")
    assert secrets.vault_key() == again.vault_key()
    assert secrets.hmac_key() == again.hmac_key()
    assert public(secrets.trail_key()) == public(again.trail_key())


def test_the_three_keys_differ(secrets: Secrets) -> None:
    """Knowing one key tells nothing of another."""
    keys = {secrets.vault_key(), secrets.hmac_key(), secrets.trail_key().private_bytes_raw()}
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 3


def test_only_the_owner_may_reach_the_files(secrets: Secrets, tmp_path: Path) -> None:
    """Folder 0700, files 0600, and nothing half-made is left beside them."""
    secrets.vault_key(), secrets.hmac_key(), secrets.trail_key()
    folder = tmp_path / "data" / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {"trail.key": 0o600, "vault.key": 0o600, "hmac.key": 0o600}


def test_many_at_once_agree_on_one_key(secrets: Secrets) -> None:
    """Processes that start together never hold different keys."""
    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(lambda _: secrets.vault_key(), range(64)))) == 1


def test_a_key_that_others_can_read_is_refused_by_name(secrets: Secrets, tmp_path: Path) -> None:
    """It may be known already, so it is not quietly repaired."""
    secrets.vault_key()
    path = tmp_path / "data" / "keys" / "vault.key"
    path.chmod(0o640)
    with pytest.raises(SecretUnsafe, match=r"vault\.key") as refused:
        secrets.vault_key()
    assert "chmod 600" in refused.value.hint
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_folder_that_others_can_enter_is_refused(secrets: Secrets, tmp_path: Path) -> None:
    """Who may write into the folder could put a key of their own there."""
    secrets.vault_key()
    (tmp_path / "data" / "keys").chmod(0o755)
    with pytest.raises(SecretUnsafe, match="keys"):
        secrets.vault_key()


def test_a_damaged_key_is_refused_and_kept(secrets: Secrets, tmp_path: Path) -> None:
    """A new key in its place would make everything that it protects unreadable for good."""
    secrets.hmac_key()
    path = tmp_path / "data" / "keys" / "hmac.key"
    path.write_bytes(b"short")
    with pytest.raises(SecretUnsafe, match=r"hmac\.key is damaged"):
        secrets.hmac_key()
    assert path.read_bytes() == b"short"


def test_a_link_in_place_of_a_key_is_refused(secrets: Secrets, tmp_path: Path) -> None:
    """The key is a file of ours, not a pointer to one of somebody else's choice."""
    secrets.vault_key()
    (tmp_path / "theirs").write_bytes(bytes(32))
    (tmp_path / "data" / "keys" / "trail.key").symlink_to(tmp_path / "theirs")
    with pytest.raises(SecretUnsafe, match=r"trail\.key"):
        secrets.trail_key()


def test_aud_11_a_new_signing_key_replaces_the_old_one(secrets: Secrets) -> None:
    """After a rotation only the new key signs, and the other keys stay."""
    old, vault = secrets.trail_key(), secrets.vault_key()
    assert secrets.waiting_trail_key() is None
    new = secrets.next_trail_key()
    assert public(new) == public(secrets.next_trail_key()) != public(old)
    assert public(secrets.trail_key()) == public(old)
    secrets.put_next_trail_key_in_place()
    assert secrets.waiting_trail_key() is None
    assert public(secrets.trail_key()) == public(new)
    assert secrets.vault_key() == vault


def test_nothing_prints_a_key(secrets: Secrets) -> None:
    """A log line with the object in it gives nothing away."""
    key = secrets.vault_key()
    assert repr(secrets) == str(secrets) == "Secrets(…)"
    assert key.hex() not in repr(secrets)
