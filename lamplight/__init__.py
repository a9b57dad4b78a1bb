"""The composition root: settings, the `lamplight` command, and the supervisor of `lamplight up`."""

__version__ = "0.1.0"
