"""Answers to the marketplace's own names only, at the ports that it is known by.

Django compares names and leaves ports out. A port that is made up would get into links, and into
whatever is counted or kept by the name of the site.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.request import split_domain_port

from marketplace.one_thread import WithoutThread

# Asked for from inside, by whatever address a process has there.
EXEMPT = ("/health/", "/metrics/")
USUAL_PORTS = {"http": "80", "https": "443"}


class KnownHostMiddleware(WithoutThread):
    """Belongs after ContentSecurityMiddleware, whose headers a refusal has too; before the rest."""

    def process_request(self, request: HttpRequest) -> None:
        if request.path_info.startswith(EXEMPT):
            return
        _, port = split_domain_port(request.get_host())  # Refuses other names itself.
        if _shorten(port, str(request.scheme)) not in known_ports():
            raise DisallowedHost(
                "A port in the Host header that neither SITE_URL nor ALLOWED_ORIGINS has."
            )


def known_ports() -> set[str]:
    """Those of SITE_URL and of the other origins; empty for the usual one of the scheme."""
    origins = [settings.SITE_URL, *settings.MESSAGING_ALLOWED_ORIGINS]
    parts = [urlsplit(origin) for origin in origins]
    return {_shorten(str(part.port or ""), part.scheme) for part in parts}


def _shorten(port: str, scheme: str) -> str:
    return "" if port == USUAL_PORTS.get(scheme) else port
