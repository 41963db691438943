"""How far another clock may be from this one."""

from django.core.checks import CheckMessage
from django.utils.translation import gettext as _

from notifications.findings import doubtful, fine, wrong

DOUBTFUL_SECONDS = 1.0
WRONG_SECONDS = 10.0


def judge_clock(whose: str, skew: float) -> CheckMessage:
    """`skew`: seconds by which the other clock is ahead."""
    sentence = _("The clock of %(whose)s differs from this machine's by %(seconds).1f seconds.")
    sentence %= {"whose": whose, "seconds": abs(skew)}
    advice = _("Let every machine take its time from the network (chrony, systemd-timesyncd).")
    if abs(skew) >= WRONG_SECONDS:
        return wrong(sentence, advice)
    if abs(skew) >= DOUBTFUL_SECONDS:
        return doubtful(sentence, advice)
    return fine(_("The clock of %(whose)s agrees with this machine's.") % {"whose": whose})
