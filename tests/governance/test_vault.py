"""The vault: what is sealed opens only in its own place, and is gone when its row is gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from governance.config import GovernanceSettings
from governance.errors import VaultDamaged
from governance.events import SYSTEM
from governance.policies import Department, PolicyStore
from governance.record.database import Record, open_record
from governance.record.use_tables import question_bodies, questions, vault_keys
from governance.secrets import Secrets
from governance.vault import Body, Vault, forget_deleted

NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
TEXT = b"May the canary sing?"


@pytest.fixture
def secrets(settings: GovernanceSettings) -> Secrets:
    return Secrets(settings.keys_dir)


@pytest.fixture
def vault(secrets: Secrets) -> Vault:
    return Vault(secrets)


def seal(record: Record, vault: Vault, department: Department, *ids: str) -> None:
    with record.write() as connection:
        for question_id in ids:
            connection.execute(
                questions.insert().values(
                    id=question_id,
                    department_id=department.id,
                    channel="page",
                    asked_at=NOW,
                    status="answered",
                    details="{}",
                )
            )
            vault.seal(
                connection,
                department.id,
                question_id,
                TEXT,
                masked=False,
                sealed_at=NOW,
                purge_at=NOW + timedelta(days=30),
            )


def opened(record: Record, vault: Vault, department_id: str, question_id: str) -> Body | None:
    with record.read() as connection:
        return vault.open(connection, department_id, question_id)


def test_what_was_sealed_opens(record: Record, vault: Vault, demo: Department) -> None:
    """The same bytes come back, and printing them shows none."""
    seal(record, vault, demo, "q1")
    body = opened(record, vault, demo.id, "q1")
    assert body == Body(TEXT, masked=False)
    assert "canary" not in repr(body)


def test_each_body_has_a_key_of_its_own(record: Record, vault: Vault, demo: Department) -> None:
    """Equal texts look different, under one key for the department."""
    seal(record, vault, demo, "q1", "q2")
    with record.read() as connection:
        rows = connection.execute(select(question_bodies)).all()
        assert len(connection.execute(select(vault_keys)).all()) == 1
    assert len({row.ciphertext for row in rows}) == len({row.wrapped_key for row in rows}) == 2
    assert not any(TEXT in row.ciphertext for row in rows)


@pytest.mark.parametrize("column", ["ciphertext", "wrapped_key", "nonce"])
def test_a_flipped_bit_is_refused(
    record: Record, vault: Vault, demo: Department, column: str
) -> None:
    """Any change of what is kept is noticed, wherever it is."""
    seal(record, vault, demo, "q1")
    with record.write() as connection:
        value = bytearray(connection.execute(select(question_bodies.c[column])).scalar_one())
        value[-1] ^= 1
        connection.execute(update(question_bodies).values({column: bytes(value)}))
    with pytest.raises(VaultDamaged):
        opened(record, vault, demo.id, "q1")


def test_swapped_rows_are_refused(record: Record, vault: Vault, demo: Department) -> None:
    """The body of one question cannot be shown as another's, though its key comes along."""
    seal(record, vault, demo, "q1", "q2")
    sealed = ("wrapped_key", "nonce", "ciphertext")
    with record.write() as connection:
        rows = {row.question_id: row for row in connection.execute(select(question_bodies))}
        for one, other in (("q1", "q2"), ("q2", "q1")):
            connection.execute(
                update(question_bodies)
                .where(question_bodies.c.question_id == one)
                .values({name: getattr(rows[other], name) for name in sealed})
            )
    for question_id in ("q1", "q2"):
        with pytest.raises(VaultDamaged):
            opened(record, vault, demo.id, question_id)


def test_a_body_put_into_another_department_is_refused(
    record: Record, vault: Vault, demo: Department, policies: PolicyStore
) -> None:
    """Not even together with the other department's key."""
    other = policies.create_department(SYSTEM, "other")
    seal(record, vault, demo, "q1")
    seal(record, vault, other, "q2")
    with record.write() as connection:
        connection.execute(
            update(question_bodies)
            .where(question_bodies.c.question_id == "q1")
            .values(department_id=other.id)
        )
    assert opened(record, vault, demo.id, "q1") is None
    with pytest.raises(VaultDamaged):
        opened(record, vault, other.id, "q1")


def test_masked_text_cannot_be_passed_off_as_whole(
    record: Record, vault: Vault, demo: Department
) -> None:
    """That text was masked is bound to it."""
    seal(record, vault, demo, "q1")
    with record.write() as connection:
        connection.execute(update(question_bodies).values(masked=True))
    with pytest.raises(VaultDamaged):
        opened(record, vault, demo.id, "q1")


def test_another_key_file_opens_nothing(
    record: Record, vault: Vault, demo: Department, settings: GovernanceSettings
) -> None:
    """A copy of the record alone, without the key file, shows no text."""
    seal(record, vault, demo, "q1")
    stranger = Vault(Secrets(settings.data_dir / "other-keys"))
    with pytest.raises(VaultDamaged):
        opened(record, stranger, demo.id, "q1")


def test_a_lost_department_key_is_said(record: Record, vault: Vault, demo: Department) -> None:
    """A body without its department's key is damage, not absence."""
    seal(record, vault, demo, "q1")
    with record.write() as connection:
        connection.execute(vault_keys.delete())
    with pytest.raises(VaultDamaged):
        opened(record, vault, demo.id, "q1")


def test_destroying_a_body_destroys_its_key(record: Record, vault: Vault, demo: Department) -> None:
    """Ciphertext and key lie in one row, and go together; the others stay."""
    seal(record, vault, demo, "q1", "q2")
    with record.write() as connection:
        assert vault.destroy(connection, ["q1"]) == 1
        assert vault.destroy(connection, ["q1"]) == 0
    assert opened(record, vault, demo.id, "q1") is None
    assert opened(record, vault, demo.id, "q2") is not None


def test_aud_12_dead_keys_are_in_no_file(
    record: Record, vault: Vault, demo: Department, settings: GovernanceSettings
) -> None:
    """Neither the record nor its log holds a byte of a destroyed key or its ciphertext."""
    seal(record, vault, demo, *(f"q{n}" for n in range(50)))
    with record.write() as connection:
        rows = connection.execute(select(question_bodies)).all()
        vault.destroy(connection, [row.question_id for row in rows])
    assert forget_deleted(record.engine)
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    found = b"".join(path.read_bytes() for path in files)
    assert not any(row.wrapped_key in found or row.ciphertext in found for row in rows)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_reader_in_the_way_is_said(
    record: Record, vault: Vault, demo: Department, settings: GovernanceSettings
) -> None:
    """While somebody reads an old snapshot of SQLite, the purge says that it is not done."""
    seal(record, vault, demo, "q1")
    impatient = open_record(replace(settings, busy_timeout_s=0.01))
    with record.read() as reader:
        reader.execute(select(questions)).all()
        seal(impatient, vault, demo, "q2")
        assert not forget_deleted(impatient.engine)
    assert forget_deleted(impatient.engine)
    impatient.close()
