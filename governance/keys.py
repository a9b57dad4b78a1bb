"""Keeps API keys: shown once, stored as a digest, never with more rights than their owner.

A key reads `lmp_<id>_<secret><checksum>`: 12 characters, 43 (256 bits in base 62) and 6 (CRC-32 of
everything before). The fixed beginning and the checksum let scanners find keys in leaked text, and
let a typo be refused before the record is asked.

People make keys for themselves, and the owner of the data directory for anybody: a key for
somebody else would be a way to that person's rights. A key makes no keys. Its rights are its
owner's at the moment of use, narrowed by its scopes and its department; while the owner is
suspended it is no good.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, select

from governance.errors import IllegalTransition, InvalidKey, NotFound, OwnRights, TrailBlocked
from governance.events import Action, Actor, Event, Fact
from governance.people import PeopleStore, principal_from
from governance.people_rows import check_department, lock_person
from governance.permissions import ROLES, Permission, Principal, decide
from governance.record.database import Record
from governance.record.people_tables import api_keys

# For secret scanners as well.
KEY_PATTERN = re.compile(r"lmp_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_CHARS, SECRET_CHARS, CHECKSUM_CHARS = 12, 43, 6
SECRET_BYTES = 32
MAX_DAYS = 365
MAX_NAME_CHARS = 80
MARK_EVERY_S = 60
NO_DIGEST = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret. scopes: the only permissions it may use of its owner's."""

    id: str
    person_id: str
    name: str
    scopes: frozenset[Permission]
    department_id: str | None
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeyStore:
    """Makes, finds and revokes API keys."""

    def __init__(self, record: Record, people: PeopleStore) -> None:
        self._record = record
        self._people = people

    def create(
        self,
        actor: Actor,
        person_id: str,
        name: str,
        scopes: Collection[Permission],
        department_id: str | None,
        expires_at: datetime,
        now: datetime,
    ) -> tuple[ApiKey, str]:
        """Make a key for a person; the text is returned this once.

        Raises NotFound, UnknownDepartment, InvalidKey, OwnRights.
        """
        _check_maker(actor, person_id)
        owner = self._people.principal(person_id, "key")
        _check_scopes(owner, scopes, department_id, now)
        _check_end(expires_at, now)
        key_id = "".join(secrets.choice(ALPHABET) for _ in range(ID_CHARS))
        secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_CHARS)
        row = {
            "id": key_id,
            "person_id": person_id,
            "name": _checked_name(name),
            "digest": _digest(secret),
            "scopes": " ".join(sorted(one.value for one in scopes)),
            "department_id": department_id,
            "created_at": now,
            "expires_at": expires_at,
        }
        with self._record.write() as connection:
            lock_person(connection, person_id)
            check_department(connection, department_id)
            connection.execute(api_keys.insert().values(row))
            names = sorted(one.value for one in scopes)
            facts: dict[str, Fact] = {"person": person_id, "scopes": names}
            event = Event(Action.KEY_CREATED, actor, department_id, "key", key_id, facts=facts)
            self._record.trail.append(connection, event)
        return self.key(key_id), key_text(key_id, secret)

    def principal_of(self, presented: str, now: datetime) -> Principal | None:
        """Whose key this is, with its owner's rights of this moment; None if it is no good."""
        parts = parsed(presented)
        if parts is None:
            return None
        key_id, secret = parts
        row = self._row(key_id)
        # An unknown key is compared, too: with a digest that nothing has.
        known = NO_DIGEST if row is None else str(row["digest"])
        if not hmac.compare_digest(known, _digest(secret)) or row is None:
            return None
        key = _key(row)
        person = self._people.person(key.person_id)
        if key.revoked_at is not None or key.expires_at <= now or not person.is_usable(now):
            return None
        self._mark_use(key, now)
        return replace(
            principal_from(person, "key"),
            scopes=key.scopes,
            department_id=key.department_id,
            key_id=key.id,
            expires_at=min(key.expires_at, person.expires_at or key.expires_at),
        )

    def keys_of(self, person_id: str) -> tuple[ApiKey, ...]:
        """A person's keys, newest first, revoked ones too."""
        theirs = select(api_keys).where(api_keys.c.person_id == person_id)
        query = theirs.order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        with self._record.read() as connection:
            return tuple(_key(row) for row in connection.execute(query).mappings())

    def key(self, key_id: str) -> ApiKey:
        """One key. Raises NotFound."""
        row = self._row(key_id)
        if row is None:
            raise NotFound("This key is not here.", "Reload the list of keys.")
        return _key(row)

    def revoke(self, actor: Actor, key_id: str, now: datetime) -> None:
        """End a key for good. Raises NotFound, IllegalTransition."""
        key = self.key(key_id)
        still: ColumnElement[bool] = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
        with self._record.write() as connection:
            ended = connection.execute(api_keys.update().where(still).values(revoked_at=now))
            if ended.rowcount != 1:
                raise IllegalTransition("This key is revoked already.", "Reload the list of keys.")
            self._record.trail.append(
                connection,
                Event(
                    Action.KEY_REVOKED,
                    actor,
                    key.department_id,
                    "key",
                    key_id,
                    facts={"person": key.person_id},
                ),
            )

    def _row(self, key_id: str) -> RowMapping | None:
        query = select(api_keys).where(api_keys.c.id == key_id)
        with self._record.read() as connection:
            return connection.execute(query).mappings().one_or_none()

    def _mark_use(self, key: ApiKey, now: datetime) -> None:
        last = key.last_used_at
        if last is not None and (now - last).total_seconds() < MARK_EVERY_S:
            return
        mine = api_keys.update().where(api_keys.c.id == key.id)
        # Only a mark: what must be recorded is refused by itself, and health can still be read.
        with suppress(TrailBlocked), self._record.write() as connection:
            connection.execute(mine.values(last_used_at=now))


def key_text(key_id: str, secret: str) -> str:
    """A key as it is shown: with its beginning and its checksum."""
    text = f"lmp_{key_id}_{secret}"
    return text + _checksum(text)


def parsed(presented: str) -> tuple[str, str] | None:
    """Id and secret of a key's text, or None where its form or checksum is wrong."""
    match = KEY_PATTERN.fullmatch(presented)
    if match is None or _checksum(presented[:-CHECKSUM_CHARS]) != match[3]:
        return None
    return match[1], match[2]


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), CHECKSUM_CHARS)


def _base62(number: int, chars: int) -> str:
    digits = []
    for _ in range(chars):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(row: RowMapping) -> ApiKey:
    columns = {name: row[name] for name in row if name != "digest"}
    scopes = frozenset(Permission(name) for name in row["scopes"].split())
    return ApiKey(**{**columns, "scopes": scopes})


def _check_maker(actor: Actor, person_id: str) -> None:
    if actor.key_id is not None:
        raise OwnRights("A key makes no keys.", "Sign in, and make it there.")
    if actor.person_id not in (None, person_id):
        raise OwnRights("Nobody makes a key for somebody else.", "Let the person make it.")


def _check_scopes(
    owner: Principal, scopes: Collection[Permission], department_id: str | None, now: datetime
) -> None:
    """Raise InvalidKey for none, and for what the owner does not have today."""
    if not scopes:
        raise InvalidKey("A key needs a scope.", "Choose what it is for.")
    missing = sorted(one for one in scopes if not _has(owner, one, department_id, now))
    if missing:
        raise InvalidKey(
            f"Its owner may not do this there: {', '.join(missing)}.", "Choose fewer scopes."
        )


def _has(owner: Principal, scope: Permission, department_id: str | None, now: datetime) -> bool:
    """Whether the owner has this right there, or for a key of no department anywhere."""
    places = {department_id}
    if department_id is None:
        places = {grant.department_id for grant in owner.grants if scope in ROLES[grant.role]}
    return any(decide(owner, scope, place, now).allowed for place in places)


def _check_end(expires_at: datetime, now: datetime) -> None:
    if not now < expires_at <= now + timedelta(days=MAX_DAYS):
        raise InvalidKey("A key ends after now and within a year.", f"Choose 1 to {MAX_DAYS} days.")


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise InvalidKey(
            f"{name[:40]!r} cannot be the name of a key.",
            f"Use 1 to {MAX_NAME_CHARS} printable characters.",
        )
    return name
