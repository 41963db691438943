"""Whom a command means."""

from django.core.management.base import CommandError

from accounts.models import User


def find_person(email: str) -> User:
    """By the address they sign in with. Raises CommandError."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise CommandError("There is no account with this address.")
    return user
