"""Whether somebody has just shown that it is really them.

allauth asks for the password or the second factor once more, and takes whoever has neither, because
they sign in with an account elsewhere, as confirmed for ever. They sign in once more instead.
"""

import time

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.http import HttpRequest

from accounts.models import User


def can_confirm(user: User) -> bool:
    """Whether there is anything that allauth could ask them for."""
    return bool(get_reauthentication_flows(user))


def signed_in_recently(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    latest: float = max((record.get("at", 0.0) for record in records), default=0.0)
    return time.time() - latest < float(app_settings.REAUTHENTICATION_TIMEOUT)
