"""Shows pages in the language and the time zone that a person has chosen, and notes when and with
what they were last here."""

import time
from collections import OrderedDict

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.deprecation import MiddlewareMixin

from accounts.time_zones import find_time_zone


class PreferencesMiddleware(MiddlewareMixin):
    """Belongs after LocaleMiddleware, whose choice stands unless the account has one."""

    def process_request(self, request: HttpRequest) -> None:
        timezone.deactivate()
        if request.path_info.startswith(settings.MEDIA_URL):
            return  # A photo has no language, and asking who looks would cost two queries each.
        user = request.user
        if not user.is_authenticated:
            return
        if zone := find_time_zone(user.time_zone):
            timezone.activate(zone)
        if user.locale:
            translation.activate(user.locale)
            request.LANGUAGE_CODE = translation.get_language()


class LastSeenMiddleware(MiddlewareMixin):
    """Keeps “last seen” in the list of sessions about right, at next to no cost.

    Counts pages that a person opens, which browsers mark, not what scripts ask for; and writes
    once in a while, which each process judges by itself.
    """

    PAUSE = 300  # seconds
    MOST = 10_000  # sessions remembered
    noted: OrderedDict[str, float] = OrderedDict()  # noqa: RUF012

    def process_request(self, request: HttpRequest) -> None:
        if request.headers.get("Sec-Fetch-Mode") != "navigate":
            return
        if request.path_info.startswith(settings.MEDIA_URL) or not request.user.is_authenticated:
            return
        key = request.session.session_key
        if key and time.monotonic() - self.noted.get(key, -self.PAUSE) >= self.PAUSE:
            UserSession.objects.create_from_request(request)
            self.remember(key)

    def remember(self, key: str) -> None:
        self.noted[key] = time.monotonic()
        self.noted.move_to_end(key)
        while len(self.noted) > self.MOST:
            self.noted.popitem(last=False)
