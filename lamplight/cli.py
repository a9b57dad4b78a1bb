"""The `lamplight` command."""

import os
import sys

import typer

from lamplight import __version__
from lamplight.commands import (
    approvals,
    audit,
    backup,
    catalogue,
    comparing,
    doctor,
    documents,
    evaluation,
    model_changes,
    models,
    people,
    questions,
    registries,
    servers,
    talking,
    tuning,
    watching,
)
from lamplight.commands.options import notes, results
from lamplight.errors import CommandError

app = typer.Typer(
    help="A department's policy assistant on the department's own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    servers.up,
    servers.serve,
    servers.web,
    servers.worker,
    documents.ingest,
    comparing.difference,
    questions.ask,
    questions.search,
    talking.run,
    models.pull,
    models.show,
    models.ps,
    models.stop,
    models.release,
    registries.login,
    registries.logout,
    doctor.doctor,
    tuning.tune,
):
    app.command()(command)
app.command("list")(models.list_models)
approvals.app.command("bom")(models.bill)
app.command()(model_changes.create)
app.command("cp")(model_changes.copy)
app.command("rm")(model_changes.remove)
app.command()(model_changes.push)
app.command("backup")(backup.backup_command)
app.command("restore")(backup.restore_command)
app.command("reindex")(backup.reindex)
app.command("eval")(evaluation.evaluate)
app.add_typer(audit.app, name="audit")
app.add_typer(approvals.app, name="model")
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(watching.watch, name="watch")
app.add_typer(people.user, name="user")
app.add_typer(people.department, name="department")
app.add_typer(people.key, name="key")


@app.command()
def version() -> None:
    """Print the version."""
    results.print(__version__)


def main() -> None:
    """Run the command; what a person can put right is two lines, not a stack trace."""
    # Whatever we write, in whichever directory, is for its owner alone.
    os.umask(0o077)
    try:
        app()
    except CommandError as error:
        _say(error.message, error.hint)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _say(message: str, hint: str) -> None:
    notes.print(message, style="bold red", markup=False)
    if hint:
        notes.print(hint, markup=False)
