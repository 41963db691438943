"""allauth's pages, each of which changes something while the session stands or not at all."""

from collections.abc import Iterable

from allauth import urls
from django.urls import URLPattern, URLResolver

from accounts.holding import committed_in_session


def hold_sessions(entries: Iterable[URLPattern | URLResolver]) -> None:
    for entry in entries:
        if isinstance(entry, URLResolver):
            hold_sessions(entry.url_patterns)
        elif str(entry.name).endswith("_callback"):  # Connects an account, by GET.
            entry.callback = committed_in_session(entry.callback, safe_methods=())
        else:
            entry.callback = committed_in_session(entry.callback)


urlpatterns = urls.urlpatterns
hold_sessions(urlpatterns)
