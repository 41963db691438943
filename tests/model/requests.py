"""Requests that a client may throw at the pages: every address that is mounted, whatever else."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils.regex_helper import normalize

from tests.model.frames import NUMBERS, TEXTS, FrameMaker

METHODS = ["GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE"]
METHODS += ["OPTIONS", "TRACE", "NONSENSE"]
FORM = "application/x-www-form-urlencoded"
CONTENT_TYPES = [FORM, FORM, "application/json", "application/json", "text/plain", "", "a/b;;;=,"]
CONTENT_TYPES += [f"{FORM}; charset=utf-16", f"{FORM}; charset=nonsense", "multipart/form-data"]
CONTENT_TYPES += ["multipart/form-data; boundary=x", "multipart/form-data; boundary=\xe9"]
CONTENT_TYPES += ["application/json; charset=utf-16", "application/json\x00", "multipart/mixed"]
ACCEPTS = ["application/json", "application/json", "text/html", "*/*", "", ",;q=", "\x00"]
FIELDS = ["message", "client_message_id", "read", "sequence", "on", "next", "after", "before"]
FIELDS += ["cursor", "q", "role", "state", "listing", "login", "password", "email", "address"]
FIELDS += ["language", "code", "title", "price", "text", "currency", "action", "o", "p", "page"]
FIELDS += ["display_name", "oldpassword", "password1", "password2", "key", "id", "credential"]
SEGMENTS = ["0", "1", "-1", "9" * 25, "x", "\x00", "\u0661", "\u00e9\u0301", "..", "%", "a b"]
SEGMENTS += ["x" * 3_000, "{{7}}", "'--", "\U0001fa91", "\u202e", "\n", "%00", "%ff", "//"]
FILE_NAMES = ["", '; filename="a.txt"', '; filename="../\x00"', "; filename"]
MANY_FIELDS = "?" + "a=1&" * 1_100
HEADERS = {
    "Accept-Language": ["es", "xx-yy", "q=", ";" * 500, "es-" * 400, "*;q=nan", "\u00e9"],
    "X-Requested-With": ["XMLHttpRequest", "\x00"],
    "X-Forwarded-For": ["1.2.3.4", "::1", "not an address", "," * 300, "1" * 5_000],
    "X-Request-Id": ["x" * 5_000, "\u00e9", "a b\tc"],
    "Referer": ["http://testserver/", "javascript:1", "http://[", "\x00", "x" * 5_000],
    "Origin": ["null", "http://testserver", "http://[", "file://"],
    "Host": ["localhost", "testserver", "evil.example", "[::1", "localhost:99999", "a b", ""],
    "Range": ["bytes=0-1", "bytes=9-1", "bytes=-", "bytes=0-0,1-1", "\x00"],
    "If-Modified-Since": ["Sat, 29 Oct 1994 19:43:31 GMT", "Mon, 99 Xyz 99999", "\x00"],
    "If-None-Match": ['"x"', "W/", '"' * 99],
    "Cookie": [
        "sessionid=",
        "sessionid=\x00",
        "csrftoken=\u00e9",
        ";" * 500,
        "django_language=\x00",
    ],
    "Content-Length": ["0", "5", "99999999999"],  # The server lets no other text through.
    "Content-Encoding": ["gzip", "\x00"],
    "Authorization": ["Basic Og==", "Bearer \x00", "x"],
}


@dataclass(frozen=True)
class Door:
    """An address as the resolver knows it: text with `%(name)s` where something goes."""

    path: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes
    content_type: str
    headers: dict[str, str]

    @property
    def wants_json(self) -> bool:
        return self.headers.get("Accept") == "application/json"


def find_doors(
    patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "/"
) -> Iterator[Door]:
    """Every address that is mounted anywhere."""
    for each in get_resolver().url_patterns if patterns is None else patterns:
        part = _template(each.pattern)
        if isinstance(each, URLResolver):
            yield from find_doors(each.url_patterns, prefix + part)
        else:
            path = prefix + part
            yield Door(path, tuple(re.findall(r"%\((\w+)\)s", path)))


def _template(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return re.sub(r"<(?:\w+:)?(\w+)>", r"%(\1)s", str(pattern))
    return str(normalize(str(pattern).removeprefix("^"))[0][0])


class RequestMaker:
    """The same requests for the same seed. `values`: by the name of a part of an address, what
    there is; everything else is made up."""

    def __init__(self, seed: int, values: dict[str, list[str]]) -> None:
        self._random = random.Random(seed)
        self._frames = FrameMaker(seed)
        self._values = values
        self.doors = list(find_doors())

    def choose(self, best: str, names: list[str]) -> str:
        """Who asks: anybody, or rather the best one."""
        return best if best and self._random.random() < 0.7 else self._random.choice(names)

    def make(self, door: Door) -> Request:
        method = self._random.choice(METHODS)
        content_type = self._random.choice(CONTENT_TYPES)
        query = self._query() if self._random.random() < 0.5 else ""
        headers = {"Accept": self._random.choice(ACCEPTS)}
        while self._random.random() < 0.4:
            name = self._random.choice(list(HEADERS))
            headers[name] = self._random.choice(HEADERS[name])
        body = b"" if method in ("GET", "HEAD") else self._body(content_type)
        return Request(method, self._path(door) + query, body, content_type, headers)

    def _path(self, door: Door) -> str:
        parts = {name: self._segment(name) for name in door.names}
        return door.path % parts

    def _segment(self, name: str) -> str:
        known = self._values.get(name)
        if known and self._random.random() < 0.8:
            return quote(self._random.choice(known))
        return quote(self._random.choice([*SEGMENTS, self._text()]), errors="replace")

    def _text(self) -> str:
        known = self._random.choice(list(self._values.values()))
        number = str(self._random.choice(NUMBERS))
        return self._random.choice([*TEXTS, *known, number])

    def _pairs(self) -> list[tuple[str, str]]:
        count = self._random.randrange(6)
        return [(self._random.choice(FIELDS), self._text()) for _ in range(count)]

    def _query(self) -> str:
        if self._random.random() < 0.1:
            return self._random.choice(
                ["?%", "?&&=", "?%ff=%00", "?" + "a=1&" * 1_100, "?;=%ED%A0%80"]
            )
        written = [f"{name}={quote(value, errors='replace')}" for name, value in self._pairs()]
        return "?" + "&".join(written)

    def _body(self, content_type: str) -> bytes:
        draw = self._random.random()
        if draw < 0.1:
            return self._random.randbytes(self._random.randrange(200))
        if "json" in content_type or draw < 0.2:
            return self._json()
        if "multipart" in content_type:
            return self._multipart()
        written = "&".join(
            f"{name}={quote(value, errors='replace')}" for name, value in self._pairs()
        )
        return written.encode() + (b"&x=%ff%00" if draw < 0.3 else b"")

    def _json(self) -> bytes:
        if self._random.random() < 0.5:
            frame = self._frames.make()
            return frame if isinstance(frame, bytes) else frame.encode(errors="replace")
        fields: dict[str, Any] = dict(self._pairs())
        for name in list(fields)[:1]:
            fields[name] = self._random.choice(NUMBERS)
        return json.dumps(fields).encode()

    def _multipart(self) -> bytes:
        parts = []
        for name, value in self._pairs():
            file = self._random.choice(
                ["", '; filename="a.txt"', '; filename="../\x00"', "; filename"]
            )
            head = f'--x\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
            parts.append(f"{head}{value}\r\n")
        return "".join(parts).encode(errors="replace") + self._random.choice(
            [b"--x--\r\n", b"--x", b""]
        )
