"""Installs models with a progress bar; what another store of the same user has is linked."""

from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from lamplight.errors import PullRefused
from lamplight.settings import Settings
from runtime.catalog import builtin_catalog
from runtime.errors import ModelRuntimeError
from runtime.exchange import Exchange
from runtime.names import parse_name
from runtime.pull import Puller, PullProgress
from runtime.store import Store
from runtime.upstream_store import UpstreamStore


def model_store(settings: Settings) -> Store:
    """The models of a data directory, the stores it may link from, and those of other servers."""
    runtime = settings.runtime
    return UpstreamStore(runtime.models_dir, runtime.shared_models_dirs, runtime.upstreams)


def install(
    settings: Settings,
    name: str,
    notes: Console,
    *,
    file: Path | None = None,
    only_if_missing: bool = False,
    insecure: bool = False,
) -> None:
    """Install a model with a progress bar on standard error. Raises PullRefused.

    insecure: its registry may speak plain HTTP, or have a certificate that nobody checks.
    """
    puller = Puller(settings.runtime, model_store(settings), builtin_catalog())
    if only_if_missing and puller.is_installed(name):
        return
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=notes,
        transient=True,
        disable=not notes.is_terminal,
    )
    try:
        with progress:
            task = progress.add_task(f"Model {name}", total=None)
            exchange = Exchange(settings.runtime, model_store(settings), builtin_catalog())
            if file is None and parse_name(name).host in settings.runtime.allowed_registries:
                exchange.pull(
                    name, lambda step: _show_step(progress, task, name, step), insecure=insecure
                )
            else:
                puller.pull(name, lambda step: _show_step(progress, task, name, step), file)
    except ModelRuntimeError as error:
        raise PullRefused(error.message, error.hint) from error
    notes.print(f"Model {name} is installed")


def _show_step(progress: Progress, task: TaskID, name: str, step: PullProgress) -> None:
    if step.total:
        progress.update(task, completed=step.completed, total=step.total)
    else:
        progress.update(task, description=f"Model {name}: {step.status}")
