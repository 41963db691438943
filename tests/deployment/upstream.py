"""What stands behind nginx where only nginx is tried: it says what it was told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONG = 64 * 1024 * 1024  # Bytes of the answer at /long/.


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Upstream"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        if self.path == "/long/":
            return self.answer_at_length()
        self.answer(json.dumps(dict(self.headers)).encode())

    do_POST = do_GET  # noqa: N815

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_at_length(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(LONG))
        self.end_headers()
        for _ in range(LONG // 65536):
            self.wfile.write(b"x" * 65536)
            self.server.sent += 65536

    def log_message(self, *arguments: object) -> None:
        pass


class Upstream(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.sent = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""
