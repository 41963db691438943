"""The address that an account is signed in to with, when it is not its owner who changes it."""

import logging

from allauth.account.models import EmailAddress
from django.db import transaction

from accounts.models import User
from accounts.sessions import end_sessions

security_log = logging.getLogger("marketplace.security")


def is_free(address: str, *, user: User) -> bool:
    """Whether nobody else has it, confirmed or not."""
    others = User.objects.exclude(pk=user.pk).filter(email__iexact=address)
    theirs = EmailAddress.objects.exclude(user=user).filter(email__iexact=address)
    return not others.exists() and not theirs.exists()


@transaction.atomic
def replace_address(*, user: User, address: str, is_verified: bool) -> None:
    """The only one from here on: no other address opens the account or gets its mails, and nobody
    who is signed in stays so. One that is not verified is confirmed by a code at the next sign-in.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=address, verified=is_verified, primary=True)
    user.email = address
    user.save(update_fields=["email"])
    security_log.info("e-mail address replaced by staff", extra={"details": {"user": user.pk}})
    end_sessions(user=user)
