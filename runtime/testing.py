"""Stand-ins for tests: a package index whose answers can fail, and model files of a few bytes."""

import hashlib
import io
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import numpy as np
from gguf import GGUFWriter


class PackageServer:
    """Serves wheels made of given files. cut_after: bytes of a file sent before the line breaks."""

    def __init__(self) -> None:
        self.wheels: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}
        self.cut_after: int | None = None
        self.ranges: list[str | None] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """The index's address."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/simple/"

    def add(self, project: str, version: str, files: dict[str, bytes]) -> str:
        """Publish a wheel; returns its file name."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        name = f"{project.replace('-', '_')}-{version}-py3-none-any.whl"
        self.wheels[name] = buffer.getvalue()
        self.digests[name] = hashlib.sha256(buffer.getvalue()).hexdigest()
        return name

    def __enter__(self) -> "PackageServer":
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def page(self, project: str) -> str:
        """The page of a project."""
        prefix = f"{project.replace('-', '_')}-"
        links = [
            f'<a href="/files/{name}#sha256={digest}">{name}</a>'
            for name, digest in self.digests.items()
            if name.startswith(prefix)
        ]
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>" if links else ""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                kind, _, rest = self.path.strip("/").partition("/")
                if kind == "simple" and server.page(rest.strip("/")):
                    self._send(200, server.page(rest.strip("/")).encode(), "text/html")
                elif kind == "files" and rest in server.wheels:
                    self._send_file(server.wheels[rest])
                else:
                    self._send(404, b"", "text/plain")

            def _send_file(self, content: bytes) -> None:
                wanted = self.headers.get("Range")
                server.ranges.append(wanted)
                start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
                body = content[start:]
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if server.cut_after is not None:
                    body = body[: server.cut_after]
                self.wfile.write(body)
                self.close_connection = server.cut_after is not None

            def _send(self, status: int, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler


def write_tiny_gguf(path: Path, note: str = "") -> bytes:
    """A whole GGUF file that nothing can run; returns its bytes."""
    writer = GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(8)
    writer.add_description(note)
    writer.add_array("tokenizer.ggml.tokens", [f"word{n}" for n in range(20)])
    writer.add_tensor("token_embd.weight", np.zeros((20, 8), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()
