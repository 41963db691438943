"""Closing an account without erasing it: nobody is signed in to it and nobody can sign in.

What was said stays where it is. The seller of a listing who is gone cannot be asked.
"""

from django.db import transaction

from accounts.models import User
from accounts.sessions import end_sessions


@transaction.atomic
def deactivate_person(*, user: User) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user=user)


def reactivate_person(*, user: User) -> None:
    user.is_active = True
    user.save(update_fields=["is_active"])
