"""What Django tells when a session may have ended.

Signals, because there is no other way: sessions and accounts belong to Django and to the host, who
log out, change passwords and end sessions without a word to this app. No rule is decided here.
"""

from typing import Any

from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.signals import user_logged_out
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db.models.signals import post_delete, post_save
from django.utils import timezone

from messaging import sessions
from messaging.services.sessions import check_sessions

# What is saved at every log-in ends nobody's session.
HARMLESS_FIELDS = {"last_login"}


def connect() -> None:
    """Once, when the apps are ready."""
    people = get_user_model()
    user_logged_out.connect(_check_who_logged_out, dispatch_uid="messaging.logged_out")
    post_save.connect(_check_who_changed, sender=people, dispatch_uid="messaging.user_saved")
    post_delete.connect(_check_who_is_gone, sender=people, dispatch_uid="messaging.user_deleted")
    if sessions.are_in_database():
        post_delete.connect(_check_whose_session, sender=Session, dispatch_uid="messaging.session")


def _check_who_logged_out(user: Any = None, **kwargs: Any) -> None:
    if user is not None and user.pk is not None:
        check_sessions(user_ids=[user.pk])


def _check_who_changed(
    instance: Any,
    created: bool = False,
    raw: bool = False,
    update_fields: Any = None,
    **kwargs: Any,
) -> None:
    harmless = update_fields is not None and set(update_fields) <= HARMLESS_FIELDS
    if not (created or raw or harmless):
        check_sessions(user_ids=[instance.pk])


def _check_who_is_gone(instance: Any, **kwargs: Any) -> None:
    check_sessions(user_ids=[instance.pk])


def _check_whose_session(instance: Session, **kwargs: Any) -> None:
    """A row that went, whoever deleted it. Of an expired one the sockets have been closed already
    (`services.sessions.delete_expired` deletes those without asking here)."""
    if instance.expire_date <= timezone.now():
        return
    try:
        user_id = get_user_model()._meta.pk.to_python(instance.get_decoded()[SESSION_KEY])
    except (KeyError, ValidationError):  # Nobody was signed in.
        return
    check_sessions(user_ids=[user_id])
