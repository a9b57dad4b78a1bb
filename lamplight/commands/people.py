"""`lamplight user`, `lamplight department`, `lamplight key`: people, their roles, and keys."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from governance.permissions import Permission, Role
from lamplight.client import PlatformClient
from lamplight.commands.options import (
    AsJson,
    Data,
    Department,
    notes,
    platform,
    print_json,
    results,
)
from lamplight.errors import BadUse

user = typer.Typer(help="People, their roles and their sign-in links.", no_args_is_help=True)
department = typer.Typer(help="Departments.", no_args_is_help=True)
key = typer.Typer(help="Keys for programs.", no_args_is_help=True)

Username = Annotated[str, typer.Argument(help="The name that the person signs in with.")]
Until = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day, in UTC.")]


@user.command("add")
def add_user(
    username: Username,
    name: Annotated[str, typer.Option(help="The name that colleagues see.")],
    role: Annotated[Role | None, typer.Option(help="Their first role.")] = None,
    department: Department = None,
    until: Until = None,
    certificate: Annotated[
        bool, typer.Option("--certificate", help="USERNAME is the subject of their certificate.")
    ] = False,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Add a person, and print the one-time link with which they choose a password."""
    with platform(data, "user") as (client, _settings):
        body = {"name": name, "username": username, "certificate": certificate}
        body |= _role(client, role, department, until)
        made = client.post("/api/v1/people", body)
    if as_json:
        print_json(made)
        return
    if certificate:
        notes.print(f"Added {made['name']}. They come in with their certificate.")
        return
    notes.print(f"Added {made['name']}. Hand on this link; it works once, within 3 days:")
    results.print(made["link"], soft_wrap=True)


@user.command("list")
def list_users(department: Department = None, as_json: AsJson = False, data: Data = None) -> None:
    """Everybody, or those with a role in one department."""
    with platform(data, "user") as (client, _settings):
        found = client.get("/api/v1/people", department=department)
    if as_json:
        print_json(found)
        return
    table = Table("User name", "Name", "Roles", "State")
    for one in found["people"]:
        roles = ", ".join(_role_words(held) for held in one["grants"])
        table.add_row(one["username"], one["name"], roles or "none", one["state"])
    results.print(table)


@user.command("suspend")
def suspend_user(username: Username, as_json: AsJson = False, data: Data = None) -> None:
    """Stop a person at once: sessions end, keys do not work; `restore` undoes it."""
    _act(username, "suspend", as_json=as_json, data=data)


@user.command("restore")
def restore_user(username: Username, as_json: AsJson = False, data: Data = None) -> None:
    """Let a suspended person in again."""
    _act(username, "restore", as_json=as_json, data=data)


@user.command("grant")
def grant_role(
    username: Username,
    role: Annotated[Role, typer.Argument(help="The role.")],
    department: Department = None,
    until: Until = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Give a person a role in a department; an administrator is one everywhere."""
    with platform(data, "user") as (client, _settings):
        person = _person(client, username)
        wanted = _role(client, role, department, until)
        held = client.post(f"/api/v1/people/{person['id']}/grants", wanted)
    _tell({"person": username, **held}, f"{username}: {_role_words(held)}.", as_json=as_json)


@user.command("withdraw")
def withdraw_role(
    username: Username,
    role: Annotated[Role, typer.Argument(help="The role.")],
    department: Department = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Take a role from a person; it ends at once."""
    with platform(data, "user") as (client, _settings):
        person = _person(client, username)
        held = _held(person, role, department)
        path = f"/api/v1/people/{person['id']}/grants/{held['id']}"
        ended = client.delete(path)
    _tell({"person": username, **ended}, f"{username} is no {role} any more.", as_json=as_json)


@user.command("link")
def link_user(username: Username, as_json: AsJson = False, data: Data = None) -> None:
    """Print a one-time link with which a person sets a new password; older links end."""
    with platform(data, "user") as (client, _settings):
        person = _person(client, username)
        made = client.post(f"/api/v1/people/{person['id']}/ticket", {})
    if as_json:
        print_json(made)
    else:
        results.print(made["link"], soft_wrap=True)


@department.command("list")
def list_departments(as_json: AsJson = False, data: Data = None) -> None:
    """Every department."""
    with platform(data, "department") as (client, _settings):
        found = client.get("/api/v1/departments")
    if as_json:
        print_json(found)
        return
    for one in found["departments"]:
        results.print(one["name"], markup=False)


@department.command("create")
def create_department(
    name: Annotated[str, typer.Argument(help="Its name.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Create a department; one of that name is left as it is."""
    with platform(data, "department") as (client, _settings):
        made = client.post("/api/v1/departments", {"name": name})
    _tell(made, f"The department {made['name']} is there.", as_json=as_json)


@key.command("create")
def create_key(
    name: Annotated[str, typer.Option(help="What the key is for.")],
    department: Department = None,
    user: Annotated[
        str | None, typer.Option(help="Whose key it is. Default: an account of its own.")
    ] = None,
    role: Annotated[
        Role | None, typer.Option(help="Of that account: editor (the default) or staff.")
    ] = None,
    scope: Annotated[
        list[Permission] | None, typer.Option(help="Only this; may be said several times.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long it is good.")] = 90,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Make a key for a program, and print it this once."""
    with platform(data, "key") as (client, _settings):
        place, _ = client.department(department)
        body: dict[str, Any] = {"name": name, "department": place, "days": days}
        # Whoever makes a key here is the owner, and sees below what it may do.
        body |= {"person": user, "role": role or (None if user else Role.EDITOR), "scopes": scope}
        made = client.post("/api/v1/keys", body)
    if as_json:
        print_json(made)
        return
    notes.print(f"In {place}, until {made['expires_at'][:10]}: {', '.join(made['scopes'])}.")
    notes.print("The key is shown this once:")
    results.print(made["key"], soft_wrap=True)


@key.command("list")
def list_keys(
    user: Annotated[str | None, typer.Option(help="Only the keys of this person.")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Every key, without its secret."""
    with platform(data, "key") as (client, _settings):
        found = client.get("/api/v1/keys", person=user)
    if as_json:
        print_json(found)
        return
    table = Table("Id", "Name", "Of", "Department", "Ends", "State")
    for one in found["keys"]:
        state = "revoked" if one["revoked_at"] else "good"
        place = one["department"] or "all"
        table.add_row(one["id"], one["name"], one["person"], place, one["expires_at"][:10], state)
    results.print(table)


@key.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Its id, as `key list` shows it.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """End a key for good."""
    with platform(data, "key") as (client, _settings):
        ended = client.delete(f"/api/v1/keys/{key_id}")
    _tell(ended, "The key does not work any more.", as_json=as_json)


def _act(username: str, verb: str, *, as_json: bool, data: Data) -> None:
    with platform(data, "user") as (client, _settings):
        person = _person(client, username)
        told = client.post(f"/api/v1/people/{person['id']}/{verb}", {})
    _tell(told, f"{told['name']} is {told['state']}.", as_json=as_json)


def _person(client: PlatformClient, username: str) -> Any:
    return client.get("/api/v1/people", username=username)["people"][0]


def _role(
    client: PlatformClient, role: Role | None, department: str | None, until: datetime | None
) -> dict[str, Any]:
    """The fields of a role, with the department that is meant. Raises BadUse."""
    if role is None:
        if department is not None or until is not None:
            raise BadUse("A department or an end needs a role.", "Add --role.")
        return {}
    place = None if role is Role.ADMINISTRATOR else client.department(department)[0]
    # The role holds until the day is over.
    end = None if until is None else (until.replace(tzinfo=UTC) + timedelta(days=1)).isoformat()
    return {"role": role, "department": place, "until": end}


def _held(person: Mapping[str, Any], role: Role, department: str | None) -> Any:
    """The one grant that is meant. Raises BadUse."""
    fitting = [
        held
        for held in person["grants"]
        if held["role"] == role and department in (None, held["department"])
    ]
    if len(fitting) == 1:
        return fitting[0]
    known = "; ".join(_role_words(held) for held in person["grants"]) or "none"
    raise BadUse(
        "There are several such roles." if fitting else "The person has no such role.",
        f"Roles: {known}. Name the department with --department.",
    )


def _role_words(held: Mapping[str, Any]) -> str:
    return f"{held['role']} in {held['department']}" if held["department"] else held["role"]


def _tell(told: Any, words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        notes.print(words, markup=False)
