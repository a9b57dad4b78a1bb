"""Lets a server keep many connections open: each is a file to the system."""

import resource

WANTED = 65_536


def allow_connections() -> int:
    """Raise our own limit as far as it may be raised without rights; how many are allowed now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted
