"""Addresses of our pages in mails: they begin with SITE_URL, whatever a request called us."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings


def make_link(url: str) -> str:
    """The same page with the address that people type."""
    parts = urlsplit(url)
    return urljoin(settings.SITE_URL, urlunsplit(("", "", parts.path, parts.query, "")))


def correct_links(context: dict[str, Any]) -> dict[str, Any]:
    """What a mail is made of: allauth calls what links to us `…_url`, and signs with the site."""
    links = {name: make_link(url) for name, url in context.items() if name.endswith("_url") and url}
    name = urlsplit(settings.SITE_URL).netloc
    return {**context, **links, "current_site": SimpleNamespace(domain=name, name=name)}
