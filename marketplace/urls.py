"""Where each page lives. What the paths answer is in docs/protocol.md."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import choose_language
from marketplace.listings.media import serve_photo

# The admin is entered through the same door as everything else, with its limits on tries.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("marketplace.listings.urls", namespace="listings")),
    path("", include("messaging.urls", namespace="messaging")),
    path("notifications/", include("notifications.urls")),
    path("health/", include("marketplace.health")),
    path("metrics/", include("messaging.metrics_page")),
    path("accounts/privacy/", include("marketplace.privacy.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("accounts.allauth_urls")),
    path("media/<path:name>", serve_photo, name="media"),
    path("i18n/setlang/", choose_language, name="set_language"),
    path("admin/", admin.site.urls),
]
if settings.DEBUG and hasattr(settings, "EMAIL_FILE_PATH"):
    urlpatterns += [path("development/mail/", include("marketplace.development.mail"))]

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.permission_denied"
handler404 = "marketplace.errors.page_not_found"
handler500 = "marketplace.errors.server_error"
