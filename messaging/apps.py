from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from messaging import receivers
        from messaging.checks import check_installation
        from messaging.notification_source import MessagingSource
        from notifications import sources

        sources.register(MessagingSource())
        receivers.connect()
        checks.register(check_installation)
