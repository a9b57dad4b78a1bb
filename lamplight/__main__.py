"""`python -m lamplight` is the `lamplight` command."""

from lamplight.cli import main

main()
