"""Every address that an answer leads to, and what must be in none: whatever signs somebody in."""

import re
from collections.abc import Iterator
from html import unescape
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core import mail
from django.http.response import HttpResponseBase
from django.test import Client

# In quotes on a page and in JSON; bare in a mail.
QUOTED = re.compile(r"""["']((?:https?:|wss?:|otpauth:|\.{0,2}/|\?)[^"'<>\s]*)["']""")
BARE = re.compile(r"https?://[^\s\"'<>]+")
HEADERS = ("Location", "Content-Location", "Link", "Refresh")
FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
SHORTEST = 16  # of what nobody could guess
# What looks like a key: long, with letters and digits in it, and no id of a thing.
OPAQUE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Random names on purpose, and the one link that is a key.
PHOTO = re.compile(r"/media/photos/[0-9a-f]{32}(-small)?\.jpg")
RESET = re.compile(r"/accounts/password/reset/key/[0-9a-z]+-[0-9a-z]+-[0-9a-f]+/")


def expect_no_key_in_addresses(client: Client, answer: Any, text: str) -> None:
    """`text`: the answer's body. The mails that it has sent are looked at as well."""
    addresses = [*find_addresses(answer, text), *find_mailed()]
    keys = find_keys(client, text)
    for address in addresses:
        assert not [key for key in keys if key in address], address
        assert not find_opaque(address), address


def find_addresses(answer: HttpResponseBase, text: str) -> set[str]:
    headers = [answer.headers[name] for name in HEADERS if name in answer.headers]
    return {unquote(unescape(found)) for found in (*headers, *QUOTED.findall(text))}


def find_mailed() -> set[str]:
    """But for the one of a forgotten password."""
    found = {address for each in mail.outbox for address in BARE.findall(str(each.body))}
    return {address for address in found if not RESET.search(address)}


def find_keys(client: Client, text: str) -> set[str]:
    """Of the cookies, of the forms, and whatever this person's session holds."""
    cookies = {name: cookie.value for name, cookie in client.cookies.items()}
    found = {cookies.get(name, "") for name in ("sessionid", "csrftoken")}
    found |= {*FORM_TOKEN.findall(text)}
    if key := cookies.get("sessionid"):
        store = import_module(settings.SESSION_ENGINE).SessionStore(key)
        found |= {value for _, value in walk(store.load())}
    return {key for key in found if len(key) >= SHORTEST and "/" not in key}


def walk(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Each text in it and what it is called."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from walk(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, name)
    elif isinstance(value, str):
        yield name, value


def find_opaque(address: str) -> list[str]:
    return OPAQUE.findall(UUID.sub("", PHOTO.sub("", address)))
