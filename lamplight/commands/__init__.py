"""The subcommands of `lamplight`, one file per family."""
