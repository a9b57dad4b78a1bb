"""Walls around a process that touches what strangers made: it gives up what it does not need.

    files      Landlock: reads what is named and the system's libraries, writes only what is named
    network    a network namespace of its own, without any interface
    calls      seccomp: no sockets, no other programs, no looking into other processes; for a reader
               of strangers' files no second process either
    limits     open files, file sizes, core dumps, and for a reader memory and processor time

None needs a privilege. A kernel or a container may deny one: then the others stand, and `raised`
tells which, for `lamplight doctor` and the tests. They must be raised before the first thread
starts, for they hold for the thread that raises them and for those that it starts. The numbers are
those of Linux' own headers: landlock(7), seccomp(2), unshare(2), prctl(2).
"""

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2

_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_VERSION_FLAG, _LANDLOCK_PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR, _WRITE_FILE, _IOCTL_DEV = 1 << 2, 1 << 3, 1 << 1, 1 << 15
# Reads, writes, makes and removes files; also cuts them short, which version 3 tells apart. The
# same of folders (bits 7 and 4): LibreOffice keeps a profile of many.
_WRITING = _READ_FILE | _READ_DIR | _WRITE_FILE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 14
# Rights on files that each version of Landlock knows, newest first.
_FILE_RIGHTS = ((5, (1 << 16) - 1), (3, (1 << 15) - 1), (2, (1 << 14) - 1), (1, (1 << 13) - 1))
_TCP_RIGHTS = 0b11  # to bind and to connect, from version 4
_SCOPES = 0b11  # abstract sockets and signals of others, from version 6

_ALLOW, _DENY, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # _DENY answers "not permitted"
_UNKNOWN = 0x00050000 | 38  # "no such call": the C library then takes the older one
_LOAD, _JUMP_IF_EQUAL, _JUMP_IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_JUMP_IF_ANY_BIT = 0x45
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST_ARGUMENT = 0, 4, 16
_X32_CALLS = 0x40000000  # the same calls by other numbers
# By machine: its number for the kernel, and the calls that nobody in here needs: socket, connect,
# bind, listen, accept, execve, ptrace, process_vm_readv and -writev, mount, bpf, userfaultfd,
# perf_event_open, add_key, request_key, keyctl, execveat, io_uring_setup, pidfd_getfd, unshare,
# setns, kexec_load, open_by_handle_at.
_CALLS = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 42, 49, 50, 43, 288, 59, 101, 310, 311, 165, 321, 323, 298, 248, 249, 250, 322),
            *(425, 438, 272, 308, 246, 304),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (
            *(198, 203, 200, 201, 202, 242, 221, 117, 270, 271, 40, 280, 282, 241, 217, 218, 219),
            *(281, 425, 438, 97, 268, 104, 265),
        ),
    ),
}
# By machine: clone, which a thread needs too and tells by a flag; clone3, whose flags no filter
# sees; and the calls that only ever start a process: fork, vfork.
_FORKS = {"x86_64": (56, 435, (57, 58)), "aarch64": (220, 435, ())}
_CLONE_THREAD = 0x00010000
# Where libraries lie, and devices: a graphics card is used through its files, and no disk is.
_LIBRARIES = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share"),
    *("/usr/local/cuda", "/usr/local/nvidia", "/opt/rocm", "/etc/ld.so.cache", "/etc/localtime"),
    *("/proc", "/sys"),
)
_DEVICES = ("null", "zero", "random", "urandom", "dri", "kfd", "nvidia*")


class Wall(StrEnum):
    """One thing that a process can no longer do."""

    FILES = "files"
    NETWORK = "network"
    CALLS = "calls"
    LIMITS = "limits"


WHAT_IT_KEEPS = {
    Wall.FILES: "reads no file but the model and libraries (Landlock)",
    Wall.NETWORK: "has no network (a namespace of its own)",
    Wall.CALLS: "opens no socket and starts no program (seccomp)",
    Wall.LIMITS: "writes no file, dumps no memory, opens few files (limits)",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take; None for no limit of its own.

    file_bytes: how far a file that is open already may grow. memory_bytes: address space.
    processor_s: seconds of processor time.
    """

    open_files: int = 256
    file_bytes: int = 0
    memory_bytes: int | None = None
    processor_s: int | None = None


def raise_walls(
    limits: Limits,
    readable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
    forks: bool = True,
) -> frozenset[Wall]:
    """Raise every wall that this machine has; returns those that stand.

    writable: folders in which it may make files and folders, and remove them. forks: whether it
    may start a second process; threads it may start in any case.
    """
    walls: tuple[tuple[Wall, Callable[[], bool]], ...] = (
        (Wall.LIMITS, lambda: _limit(limits)),
        (Wall.NETWORK, _leave_the_network),
        (Wall.FILES, lambda: _close_files([*readable, *_libraries()], list(writable))),
        (Wall.CALLS, lambda: _close_calls(forks)),
    )
    return frozenset(wall for wall, raised in walls if raised())


def _limit(limits: Limits) -> bool:
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.processor_s,
    }
    for kind, value in wanted.items():
        if value is not None:
            most = resource.getrlimit(kind)[1]
            value = value if most == resource.RLIM_INFINITY else min(value, most)
            resource.setrlimit(kind, (value, value))
    return True


def _leave_the_network() -> bool:
    """With a user namespace anybody may; it also drops the privileges of root."""
    return sys.platform == "linux" and (
        _succeeds("unshare", _CLONE_NEWUSER | _CLONE_NEWNET) or _succeeds("unshare", _CLONE_NEWNET)
    )


def _libraries() -> list[Path]:
    """The system's libraries and our own; of the folder of our packages only this package."""
    package = Path(__file__).resolve().parent
    found = [Path(name) for name in _LIBRARIES]
    found += [Path(entry).resolve() for entry in sys.path if entry]
    found += [Path(sys.prefix, "lib").resolve(), Path(sys.base_prefix, "lib").resolve()]
    return [path for path in found if path != package.parent] + [package]


def _close_files(readable: list[Path], writable: list[Path]) -> bool:
    if sys.platform != "linux" or not _no_new_privileges():
        return False
    version = _call(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_FLAG)
    if version < 1:
        return False
    rights = next(rights for least, rights in _FILE_RIGHTS if version >= least)
    rules = (rights, _TCP_RIGHTS if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    attributes = struct.pack("<QQQ", *rules)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _call(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    reading = _READ_FILE | _READ_DIR
    try:
        for path in readable:
            _allow(ruleset, path, reading)
        for path in writable:
            _allow(ruleset, path, rights & _WRITING)
        for path in (path for name in _DEVICES for path in Path("/dev").glob(name)):
            _allow(ruleset, path, rights & (reading | _WRITE_FILE | _IOCTL_DEV))
        # The folder of our packages is searched for them: names may be seen, contents not read.
        _allow(ruleset, Path(__file__).resolve().parent.parent, rights & _READ_DIR)
        return _call(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not on this machine
    try:
        if not path.is_dir():
            rights &= ~_READ_DIR
        rule = struct.pack("<Qi", rights, place)
        _call(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_PATH_BENEATH, rule, 0)
    finally:
        os.close(place)


def _close_calls(forks: bool) -> bool:
    machine = _CALLS.get(platform.machine())
    if sys.platform != "linux" or machine is None or not _no_new_privileges():
        return False
    number, denied = machine
    clone, clone3, starts = _FORKS[platform.machine()]
    program = (
        _filter(number, denied)
        if forks
        else _filter(number, denied + starts, _threads_only(clone, clone3))
    )
    code = ctypes.create_string_buffer(program)
    header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    return _succeeds("prctl", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)


def _threads_only(clone: int, clone3: int) -> list[tuple[int, int, int, int]]:
    """The steps that let a clone pass if it makes a thread, and refuse it if it makes a process."""
    return [
        (_JUMP_IF_EQUAL, 0, 1, clone3),
        (_RETURN, 0, 0, _UNKNOWN),
        (_JUMP_IF_EQUAL, 0, 4, clone),
        (_LOAD, 0, 0, _AT_FIRST_ARGUMENT),
        (_JUMP_IF_ANY_BIT, 1, 0, _CLONE_THREAD),
        (_RETURN, 0, 0, _DENY),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _filter(
    machine: int,
    denied: tuple[int, ...],
    first: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """The program that the kernel asks at each call: code, two jumps, and a number.

    first: steps that come before the list of denied calls.
    """
    steps = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_JUMP_IF_EQUAL, 1, 0, machine),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
        (_JUMP_IF_AT_LEAST, len(first) + len(denied) + 1, 0, _X32_CALLS),
        *first,
        *((_JUMP_IF_EQUAL, len(denied) - at, 0, call) for at, call in enumerate(denied)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _no_new_privileges() -> bool:
    return _succeeds("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _call(number: int, *arguments: int | bytes | None) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(number, *(_word(argument) for argument in arguments)))


def _succeeds(name: str, *arguments: int | bytes) -> bool:
    function = getattr(ctypes.CDLL(None, use_errno=True), name)
    return bool(function(*(_word(argument) for argument in arguments)) == 0)


def _word(argument: int | bytes | None) -> object:
    return ctypes.c_ulong(argument) if isinstance(argument, int) else argument
