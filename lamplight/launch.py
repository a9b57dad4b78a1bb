"""Puts the parts of a running Lamplight together: for `up`, and for one command at a time."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lamplight.lock import DataLock
from lamplight.runtime_key import make_key
from lamplight.settings import Settings, child_environment
from lamplight.supervisor import (
    STDIN_IS_PARENT,
    Part,
    Supervisor,
    answers,
    free_port,
    lamplight_command,
)

LOOPBACK = "127.0.0.1"


def runtime_part(settings: Settings, environment: Mapping[str, str]) -> Part:
    """The process that serves models."""
    url = f"http://{settings.runtime.host}:{settings.runtime.port}/api/version"
    return Part(
        name="model runtime",
        arguments=lamplight_command("serve", "--data", str(settings.data_dir), STDIN_IS_PARENT),
        environment=environment,
        log_path=settings.logs_dir / "runtime.log",
        is_ready=lambda: answers(url),
    )


def web_part(
    settings: Settings, environment: Mapping[str, str], lock: DataLock, *, listen: bool
) -> Part:
    """The process that serves pages and API; without `listen`, only the command line's socket."""
    arguments = ["web", "--data", str(settings.data_dir), STDIN_IS_PARENT]
    arguments += ["--lock-fd", str(lock.fd)]
    arguments += [] if listen else ["--socket-only"]
    return Part(
        name="platform",
        arguments=lamplight_command(*arguments),
        environment=environment,
        log_path=settings.logs_dir / "platform.log",
        is_ready=lambda: answers("http://localhost/healthz", settings.admin_socket),
        pass_fds=(lock.fd,),
    )


def ports(settings: Settings) -> dict[str, object]:
    """The addresses that both processes must agree on."""
    return {
        "runtime.host": settings.runtime.host,
        "runtime.port": settings.runtime.port,
        "web.host": settings.web.host,
        "web.port": settings.web.port,
        "web.insecure_plain_http": settings.web.insecure_plain_http,
        "rag.chat_url": settings.rag.chat_url,
        "rag.embed_url": settings.rag.embed_url,
        "rag.runtime_url": settings.rag.runtime_url,
        "rag.runtime_key_path": settings.runtime_key_path,
    }


@contextmanager
def platform_for_a_command(
    settings: Settings,
    reload: Callable[[Mapping[str, object]], Settings],
    purpose: str,
    report: Callable[[str], None],
) -> Iterator[None]:
    """A platform with its runtime, on the data directory's socket, for the length of the block.

    Raises AlreadyRunning, PartFailed.
    """
    with DataLock(settings.run_dir).take(purpose) as lock:
        own_runtime = settings.rag.embed_url.startswith(
            f"http://{settings.runtime.host}:{settings.runtime.port}/"
        )
        # The well-known port may be Ollama's, or another Lamplight's: take a free one.
        moved = reload({"runtime.host": LOOPBACK, "runtime.port": free_port(LOOPBACK)})
        used = moved if own_runtime else settings
        environment = child_environment(ports(used))
        parts = [runtime_part(used, environment)] if own_runtime else []
        parts.append(web_part(used, environment, lock, listen=False))
        supervisor = Supervisor(parts, report)
        make_key(used.runtime_key_path)
        try:
            report("Starting Lamplight for this command")
            supervisor.start()
            yield
        finally:
            supervisor.stop()
