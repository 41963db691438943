"""Settings of this app that are allowed and hardly meant."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.translation import gettext as _

from messaging import conf
from notifications import failpoints
from notifications.findings import doubtful, fine, wrong

# Of a slower one people would hear for more than a minute that somebody is here who has gone
# (`messaging.presence`).
SLOWEST_HEARTBEAT_SECONDS = 26


def ask_settings() -> Iterator[CheckMessage]:
    found = [*_judge_origins(), *_judge_times(), *_judge_limits(), *_judge_failpoint()]
    yield from found or [fine(_("The settings of the messages are plausible."))]


def _judge_origins() -> Iterator[CheckMessage]:
    if not conf.allowed_origins():
        yield wrong(
            _("No origin is allowed, so no page can open a socket."),
            _("Set ALLOWED_ORIGINS to the address that people type, like https://market.example."),
        )
    for origin in conf.allowed_origins():
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path:
            yield wrong(
                _("“%(origin)s” is no origin, so no page from there can open a socket.")
                % {"origin": origin},
                _("Write scheme and host and nothing after them, like https://market.example."),
            )
        elif parts.scheme == "http" and not _is_here(parts.hostname) and not settings.DEBUG:
            yield doubtful(
                _("%(origin)s is not encrypted: everybody on the way can read along.")
                % {"origin": origin},
                _("Serve the site over https:// and allow that."),
            )


def _is_here(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1", "testserver")


def _judge_times() -> Iterator[CheckMessage]:
    if conf.heartbeat_seconds() > SLOWEST_HEARTBEAT_SECONDS:
        yield wrong(
            _("The heartbeat is every %(seconds)g seconds, and people count as gone after 60.")
            % {"seconds": conf.heartbeat_seconds()},
            _("Set HEARTBEAT_SECONDS to 25."),
        )
    if conf.notify_cap() < conf.notify_delay():
        yield doubtful(
            _("The longest wait before a mail is shorter than the wait after the last message."),
            _("Set NOTIFY_CAP_SECONDS to more than NOTIFY_DELAY_SECONDS."),
        )
    if conf.drain_seconds() < 1:
        yield doubtful(
            _("A web process that is restarted cuts off whoever is in the middle of something."),
            _("Set DRAIN_SECONDS to 10, and let its supervisor wait for longer."),
        )


def _judge_limits() -> Iterator[CheckMessage]:
    if not conf.send_limits() and not settings.DEBUG:
        yield doubtful(
            _("There are no limits on sending: one person can write to everybody at once."),
            _("Set SEND_LIMITS to 10/5s,60/m."),
        )


def _judge_failpoint() -> Iterator[CheckMessage]:
    if failpoints.ARMED:
        yield wrong(
            _("FAILPOINT is set: processes end themselves at “%(place)s”, as tests want them to.")
            % {"place": failpoints.ARMED},
            _("Take FAILPOINT out of the environment of every process and start them again."),
        )
