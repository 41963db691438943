"""Every question that this package asks, in the order in which the answers are read."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from messaging.doctor import caches, database, layer, redis_servers, rows, sanity
from messaging.doctor.registry import Question, registered_questions
from notifications import doctor as notifications_doctor
from notifications import doctor_mail


def all_questions(*, web_processes: int = 0) -> list[Question]:
    """This app's, those of notifications, and whatever the host has registered."""
    return [
        Question("database", _("Database"), database.ask_database),
        Question("migrations", _("Migrations"), database.ask_migrations),
        Question("durability", _("Durability"), database.ask_durability),
        Question("search", _("Searches"), database.ask_search),
        Question("pool", _("Database connections"), database.ask_pool),
        Question("layer", _("Channel layer"), layer.ask_layer),
        Question("bus", _("Web processes"), partial(layer.ask_bus, web_processes)),
        Question("cache", _("Cache"), caches.ask_cache),
        Question("broker", _("Broker"), redis_servers.ask_broker),
        Question("worker", _("Worker"), notifications_doctor.ask_worker),
        Question("beat", _("Beat"), notifications_doctor.ask_beat),
        Question("database_clock", _("Clock of the database"), database.ask_clock),
        Question("redis_clock", _("Clock of Redis"), redis_servers.ask_redis),
        Question("mail_server", _("Mail server"), doctor_mail.ask_server),
        Question("mail_records", _("Mail authentication"), doctor_mail.ask_records),
        Question("deliveries", _("Deliveries"), notifications_doctor.ask_deliveries),
        Question("overdue", _("Waiting people"), rows.ask_overdue),
        Question("settings", _("Settings"), sanity.ask_settings),
        *registered_questions(),
    ]
