"""An OpenID Connect provider on loopback that says of its visitor what the test wants."""

import json
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt

CLIENT_ID = "trato"
CLIENT_SECRET = "between the two of us, and long enough"


class Provider(ThreadingHTTPServer):
    """`claims` is what it says; `asked` is what it was asked for, with the secrets it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.claims: dict[str, Any] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        fields = dict(urllib.parse.parse_qsl(query))
        self.server.asked.append((path, fields))
        if path == "/authorize":
            self.send_back(fields)
        elif path == "/userinfo":
            self.send_json(self.server.claims)
        else:
            self.send_json(self.describe())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(urllib.parse.parse_qsl(body))
        self.server.asked.append((self.path, fields))
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        token = jwt.encode(claims | self.server.claims, CLIENT_SECRET, algorithm="HS256")
        self.send_json({"access_token": "a", "token_type": "bearer", "id_token": token})

    def send_back(self, fields: dict[str, str]) -> None:
        """As if the visitor had agreed at once."""
        query = urllib.parse.urlencode({"code": "c", "state": fields["state"]})
        self.send_response(302)
        self.send_header("Location", f"{fields['redirect_uri']}?{query}")
        self.end_headers()

    def describe(self) -> dict[str, Any]:
        url = self.server.url
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "userinfo_endpoint": f"{url}/userinfo",
            "jwks_uri": f"{url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def send_json(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def run_provider() -> Iterator[Provider]:
    provider = Provider()
    # It looks so often whether it is to end.
    thread = Thread(target=provider.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.shutdown()
        provider.server_close()
        thread.join()
