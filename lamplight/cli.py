"""The `lamplight` command."""

import os
import sys

import typer

from lamplight import __version__
from lamplight.commands import documents, evaluation, models, questions, servers
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
    documents.ingest,
    questions.ask,
    questions.search,
    models.pull,
    models.show,
    models.ps,
    models.stop,
):
    app.command()(command)
app.command("list")(models.list_models)
app.command("eval")(evaluation.evaluate)


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
