"""Shows pages in the language and the time zone that a person has chosen."""

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
