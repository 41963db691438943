"""`/metrics/` for Prometheus, one for each process, only for who knows the token.

Without a token in the settings, or with another one, the page is as missing as any other.
"""

import asyncio
import hmac
import logging

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from messaging import conf, metrics, runtime
from messaging.metrics_registry import CONTENT_TYPE, Gauge, render
from notifications.figures import HELP, read_figures

logger = logging.getLogger(__name__)

DATABASE_SECONDS = 2.0


@never_cache
async def show(request: HttpRequest) -> HttpResponse:
    if not is_allowed(request):
        raise Http404
    gauges = await ask_database()
    return HttpResponse(render([*metrics.ALL, *gauges]), content_type=CONTENT_TYPE)


def is_allowed(request: HttpRequest) -> bool:
    token = conf.metrics_token()
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


async def ask_database() -> list[Gauge]:
    """What the workers have done is in rows: the same figures from every process. A database that
    does not answer costs these and no others."""
    up = Gauge("messaging_database_up", "Whether the database answered this request.")
    try:
        figures = await asyncio.wait_for(runtime.in_database(read_figures), DATABASE_SECONDS)
    except Exception as error:
        logger.warning("The database gave no figures: %s", type(error).__name__)
        up.read = lambda: 0
        return [up]
    up.read = lambda: 1
    return [up, *(_fixed(name, value) for name, value in figures.items())]


def _fixed(name: str, value: float) -> Gauge:
    gauge = Gauge(name, HELP[name])
    gauge.read = lambda: value
    return gauge


urlpatterns: list[URLPattern] = [path("", show, name="metrics")]
