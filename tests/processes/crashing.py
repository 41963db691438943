"""The marketplace with doors that fail while they hold something secret: pages and a task."""

import logging
from smtplib import SMTPRecipientsRefused
from typing import Any

from celery import shared_task
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from marketplace.urls import handler400, handler403, handler404, handler500, urlpatterns

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

QUEUE = "crashing"


@csrf_exempt
def raise_error(request: HttpRequest) -> HttpResponse:
    raise ValueError(f"could not read {request.POST.dict()} of {request.COOKIES}")


@csrf_exempt
def break_constraint(request: HttpRequest) -> HttpResponse:
    """PostgreSQL quotes the row in what it raises."""
    text = request.POST["message"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE said (text text PRIMARY KEY)")
        try:
            for _ in range(2):
                cursor.execute("INSERT INTO said VALUES (%s)", [text])
        finally:
            cursor.execute("DROP TABLE said")
    return HttpResponse()


@csrf_exempt
def log_carelessly(request: HttpRequest) -> HttpResponse:
    """As a library might."""
    logger = logging.getLogger("a.careless.library")
    address = request.POST["address"]
    logger.warning("password=%s for %s", request.POST["password"], address)
    logger.warning("cookies: %s", request.META["HTTP_COOKIE"])
    refused = SMTPRecipientsRefused({address: (550, address.encode())})
    logger.error("mail to %s failed", address, exc_info=refused)
    return HttpResponse()


@shared_task(name="tests.crash", bind=True, max_retries=1)
def crash(self: Any, secret: str) -> None:
    if self.request.retries:
        raise ValueError(secret)
    raise self.retry(exc=RuntimeError(secret), countdown=0)


urlpatterns = [
    *urlpatterns,
    path("crash/raise/", raise_error),
    path("crash/constraint/", break_constraint),
    path("crash/careless/", log_carelessly),
]
