"""Closing an account without erasing it: nobody is signed in to it and nobody can sign in.

What was said stays where it is. The seller of a listing who is gone cannot be asked.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.models import User
from accounts.sessions import end_sessions

security_log = logging.getLogger("marketplace.security")


@transaction.atomic
def deactivate_person(*, user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])
    security_log.info("account deactivated", extra={"details": {"user": user.pk}})
    end_sessions(user=user)


@transaction.atomic
def reactivate_person(*, user: User) -> bool:
    """Whether it was done: an account that is closed for good is not opened again."""
    User.objects.select_for_update().get(pk=user.pk)  # Nobody closes it for good in between.
    if not may_be_active(user=user):
        return False
    user.is_active = True
    user.save(update_fields=["is_active"])
    security_log.info("account reactivated", extra={"details": {"user": user.pk}})
    return True


def may_be_active(*, user: User) -> bool:
    """As ACCOUNTS_MAY_BE_ACTIVE says, the path of a function: others know what an account waits
    for."""
    policy: Callable[..., bool] = import_string(settings.ACCOUNTS_MAY_BE_ACTIVE)
    return policy(user=user)
