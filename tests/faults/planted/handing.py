"""Bugs of what is handed to whom beside frames: in answers, in pages, in the HTML of mails, and to
whoever has signed out."""

import importlib
from typing import Any

from tests.faults.planted import bug, replace


def find_foreign(person: Any) -> str:
    """The newest text of a conversation in which this person never was; empty if there is none."""
    from messaging.models import Message

    others = Message.objects.exclude(conversation__participants__user_id=person)
    found = others.filter(kind="text", deleted_at=None).order_by("-id").first()
    return found.body if found else ""


@bug("serves in a thread's page what others wrote", "I11", often=("open_page",))
def leak_in_pages() -> None:
    from messaging.views.thread_page import render_thread

    def wrap(original: Any) -> Any:
        def planted(request: Any, *about: Any, **more: Any) -> Any:
            response = original(request, *about, **more)
            response.content += f"<!-- {find_foreign(request.user.pk)} -->".encode()
            return response

        return planted

    replace(render_thread, wrap)


@bug("answers who has read something with what others wrote", "I11", often=("read",))
def leak_in_answers() -> None:
    views: Any = importlib.import_module("messaging.views.conversations")
    original = views.mark_read

    def planted(**about: Any) -> Any:
        return f"{original(**about)} {find_foreign(about['user_id'])}"

    views.mark_read = planted


@bug("mails in the HTML what others wrote", "I11", waits=25.0)
def leak_in_mails() -> None:
    from notifications.transports.email import compose

    def wrap(original: Any) -> Any:
        def planted(delivery: Any, *about: Any, **more: Any) -> Any:
            message = original(delivery, *about, **more)
            html = message.alternatives.pop()[0]
            foreign = find_foreign(delivery.notification.recipient_id)
            message.attach_alternative(f"{html}<div hidden>{foreign}</div>", "text/html")
            return message

        return planted

    replace(compose, wrap)


@bug("serves whoever has signed out over HTTP", "I10", often=("log_out_all",))
def serve_after_log_out() -> None:
    """By the cookie, which is known from before."""
    middleware: Any = importlib.import_module("django.contrib.auth.middleware")
    known: dict[str, Any] = {}
    original = middleware.get_user

    def planted(request: Any) -> Any:
        user = original(request)
        key = request.COOKIES.get("sessionid", "")
        if user.is_authenticated:
            known[key] = user
        return known.get(key, user)

    middleware.get_user = planted
