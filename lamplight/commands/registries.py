"""`lamplight login`, `logout`: our accounts at registries of models."""

import sys
from typing import Annotated

import typer

from lamplight.commands.options import Data, notes
from lamplight.errors import BadUse
from lamplight.settings import Settings, load_settings
from runtime.errors import BadAccounts
from runtime.registry_accounts import Account, forget_account, keep_account

Host = Annotated[str, typer.Argument(help="A registry: its host, with its port if any.")]


def login(
    host: Host,
    user: Annotated[str, typer.Option("--user", "-u", help="The account's name.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    data: Data = None,
) -> None:
    """Keep an account at a registry, for pull and push."""
    settings = load_settings(data)
    _check(settings, host)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else _asked(host)
    if not password or ":" in user:
        raise BadUse("There is no password, or the name holds a colon.", "Try again.")
    path = settings.runtime.registry_accounts_path
    assert path is not None  # a data directory always has one
    try:
        keep_account(path, host, Account(user, password))
    except BadAccounts as error:
        raise BadUse(f"{error.message}.", error.hint) from error
    notes.print(f"The account of {user} at {host} is kept in {path}", markup=False)


def logout(host: Host, data: Data = None) -> None:
    """Forget an account at a registry."""
    path = load_settings(data).runtime.registry_accounts_path
    assert path is not None
    try:
        there = forget_account(path, host)
    except BadAccounts as error:
        raise BadUse(f"{error.message}.", error.hint) from error
    notes.print("It is forgotten" if there else f"No account at {host} is kept", markup=False)


def _asked(host: str) -> str:
    return str(typer.prompt(f"Password at {host}", hide_input=True, err=True))


def _check(settings: Settings, host: str) -> None:
    allowed = settings.runtime.allowed_registries
    if host not in allowed:
        raise BadUse(
            f"The registry {host} is not allowed.",
            "Name it in the setting runtime.allowed_registries first.",
        )
