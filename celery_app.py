"""The Celery application: `celery -A celery_app worker` and `celery -A celery_app beat`.

The broker is a wake-up and nothing else. What must happen is a row, and the beat looks for due
rows every few seconds, so a lost, late or repeated task costs a few seconds and never a mail.
Every value here is a default: a `CELERY_…` setting of Django's wins.
"""

import logging
import logging.config
import os
from collections.abc import Callable
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Connection
from kombu.transport import redis, virtual

from marketplace.privacy import schedule as privacy
from notifications.schedule import BEAT_SCHEDULE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")

logger = logging.getLogger(__name__)

REDIS_SCHEMES = ("redis", "rediss", "sentinel")

# For the worker, which waits for work. kombu's own read timeout is none at all, and a connection
# that died silently would be waited for until the end of the process.
REDIS_CONSUMING = {
    "visibility_timeout": 300,
    # What a killed worker held is looked for this often; the default finds it after 100 s or so.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "health_check_interval": 25,
    "socket_keepalive": True,
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "global_keyprefix": "trato:",
}
# For whoever asks for work: with a stopped broker it is told so within a second. kombu would
# try again for 6 s on its own, and then Celery for as long again.
REDIS_PUBLISHING = {
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}


class Application(Celery):
    """Celery whose publishing never waits long for the broker."""

    def connection_for_write(self, url: str | None = None, **options: Any) -> Connection:
        if is_redis(url or self.conf.broker_write_url):
            given = options.pop("transport_options", None) or {}
            options["transport_options"] = {**REDIS_PUBLISHING, **given}
        return super().connection_for_write(url, **options)


class HeldTasks(redis.QoS):
    """What a worker has taken and not finished. When its line to Redis breaks, kombu tries to give
    it back over that very line; what this raises would end the worker (celery/kombu#582). Nobody
    needs it: Redis hands out after `visibility_timeout` what was never given back, and the beat
    finds due rows long before."""

    def ack(self, delivery_tag: str) -> None:
        self._let_go(super().ack, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        self._let_go(super().reject, delivery_tag, requeue)

    def _let_go(self, how: Callable[..., None], delivery_tag: str, *more: Any) -> None:
        """Over a line that is closed only this process can be told; Redis hands it out again."""
        try:
            how(delivery_tag, *more)
        except AttributeError:
            if getattr(self.channel, "connection", None) is not None:
                raise
            virtual.QoS.ack(self, delivery_tag)

    def restore_unacked(self, client: Any = None) -> None:
        try:
            super().restore_unacked(client)
        except Exception as error:
            logger.warning("Tasks could not be given back: %s", type(error).__name__)


redis.Channel.QoS = HeldTasks


def is_redis(url: str | list[str] | None) -> bool:
    """Other transports hand such options to their driver, which refuses them."""
    first = url[0] if isinstance(url, list) else url
    return str(first or "").partition("://")[0].partition("+")[0] in REDIS_SCHEMES


def default_configuration() -> dict[str, Any]:
    broker_url = getattr(settings, "CELERY_BROKER_URL", None)
    return {
        # A task is given back when its worker dies, also when only a child of it does.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # In a pool of threads nothing can enforce these two; there the deadlines of each network
        # call bound a task.
        "task_time_limit": 60,
        "task_soft_time_limit": 50,
        "task_ignore_result": True,
        "task_publish_retry": False,
        "worker_soft_shutdown_timeout": 10,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_pool_limit": 10,
        "broker_connection_max_retries": None,
        "broker_transport_options": REDIS_CONSUMING if is_redis(broker_url) else {},
        # In memory: every entry is due again within seconds, and no file of an earlier run can
        # be in the way.
        "beat_scheduler": "celery.beat:Scheduler",
        "beat_schedule": {**BEAT_SCHEDULE, **privacy.BEAT_SCHEDULE},
    }


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """With a receiver Celery leaves the log alone: worker and beat log as Django's settings say."""
    logging.config.dictConfig(settings.LOGGING)


app = Application("trato")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.add_defaults(default_configuration)
app.autodiscover_tasks()
