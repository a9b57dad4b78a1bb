"""Where a LibreOffice is installed, and what of it a child process has to be able to read.

It is used as a library inside the child (ingest/parse/libreoffice.py) and not started as a program:
so it stands behind the same walls as every other reader. No network, no second process, no socket,
and no file but the one that it was given and a folder of its own.
"""

from pathlib import Path

from ingest.config import IngestSettings

LIBRARY = "libmergedlo.so"
# Where Debian and Ubuntu, Fedora and others, and its makers' own packages put it.
_USUAL = ("/usr/lib/libreoffice", "/usr/lib64/libreoffice", "/opt/libreoffice*")
# Parts of an installation that packages keep elsewhere and link to.
_ELSEWHERE = ("share/registry", "share/uno_packages/cache", "share/prereg/bundled")


def folder_of(settings: IngestSettings) -> Path | None:
    """The `program` folder of the LibreOffice to use; None if there is none."""
    if settings.libreoffice_dir:
        folders = [Path(settings.libreoffice_dir)]
    else:
        folders = [path / "program" for name in _USUAL for path in sorted(_glob(name))]
    return next((folder for folder in folders if (folder / LIBRARY).is_file()), None)


def _glob(name: str) -> list[Path]:
    path = Path(name)
    return list(path.parent.glob(path.name))


def readable(folder: Path) -> list[Path]:
    """The installation that a `program` folder belongs to, with what it links to."""
    home = folder.parent
    return [home, *((home / part).resolve() for part in _ELSEWHERE)]
