"""Saving a person writes what was changed, all of it, and nothing else."""

from typing import Any

import pytest
from django.contrib.auth import hashers
from django.db import transaction
from django.db.models.signals import post_save, pre_save

from accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ana(buyer: Any) -> User:
    return read(buyer)


def read(person: Any) -> User:
    return User.objects.get(pk=person.pk)


def change_elsewhere(person: User, **columns: Any) -> None:
    User.objects.filter(pk=person.pk).update(**columns)


def save_and_undo(person: User) -> None:
    with transaction.atomic():
        person.save()
        transaction.set_rollback(True)


def test_what_others_have_written_stays(ana: User) -> None:
    ana.display_name = "Ana María"
    change_elsewhere(ana, is_active=False, locale="es")
    ana.save()
    now = read(ana)
    assert (now.display_name, now.is_active, now.locale) == ("Ana María", False, "es")
    change_elsewhere(ana, display_name="Ana again")
    ana.save()  # It was written; what has become of it since is not hers to undo.
    assert read(ana).display_name == "Ana again"


def test_what_was_undone_is_written_by_the_next_save(ana: User) -> None:
    ana.display_name = "Ana María"
    save_and_undo(ana)
    assert read(ana).display_name == "Ana"
    ana.save()
    assert read(ana).display_name == "Ana María"


def test_so_is_what_was_undone_with_a_savepoint(ana: User) -> None:
    ana.display_name = "Ana María"
    with transaction.atomic():
        save_and_undo(ana)
        change_elsewhere(ana, locale="es")
    ana.save()
    assert (read(ana).display_name, read(ana).locale) == ("Ana María", "es")


def test_to_change_it_back_in_the_same_transaction_is_a_change(ana: User) -> None:
    with transaction.atomic():
        ana.display_name = "Ana María"
        ana.save()
        ana.display_name = "Ana"
        ana.save()
    assert read(ana).display_name == "Ana"


def test_what_a_transaction_has_committed_is_known(ana: User) -> None:
    with transaction.atomic():
        ana.display_name = "Ana María"
        ana.save()
    change_elsewhere(ana, display_name="Ana again")
    ana.save()
    assert read(ana).display_name == "Ana again"


def test_a_person_who_was_never_stored_after_all_can_be_stored(db: None) -> None:
    ines = User(email="ines@example.net", display_name="Inés")
    save_and_undo(ines)
    ines.save()
    assert read(ines).display_name == "Inés"


def test_to_read_one_column_again_forgets_no_other_change(ana: User) -> None:
    ana.display_name = "Ana María"
    change_elsewhere(ana, is_active=False, locale="es")
    ana.refresh_from_db(fields=["is_active"])
    assert not ana.is_active
    ana.save()
    now = read(ana)
    assert (now.display_name, now.is_active, now.locale) == ("Ana María", False, "es")


def test_to_read_all_again_forgets_all_changes(ana: User) -> None:
    ana.display_name = "Ana María"
    ana.refresh_from_db()
    ana.save()
    assert read(ana).display_name == "Ana"


def test_a_column_that_is_read_late_is_no_change_and_forgets_none(ana: User) -> None:
    person = User.objects.only("display_name").get(pk=ana.pk)
    person.display_name = "Ana María"
    assert person.email == ana.email
    change_elsewhere(ana, email="other@example.net")
    person.save()
    assert (read(ana).display_name, read(ana).email) == ("Ana María", "other@example.net")


def test_a_column_that_was_never_read_can_be_set(ana: User) -> None:
    person = User.objects.only("display_name").get(pk=ana.pk)
    person.locale = "es"
    person.save()
    assert (read(ana).display_name, read(ana).locale) == ("Ana", "es")


def test_whoever_listens_hears_of_a_save_without_changes(ana: User) -> None:
    heard: list[tuple[Any, Any]] = []

    def note(signal: Any, instance: User, update_fields: Any, **_: Any) -> None:
        heard.append((signal, set(update_fields)))

    for signal in (pre_save, post_save):
        signal.connect(note, sender=User)
    try:
        ana.save()
        ana.locale = "es"
        ana.save()
    finally:
        for signal in (pre_save, post_save):
            signal.disconnect(note, sender=User)
    assert heard == [
        (pre_save, set()),
        (post_save, set()),
        (pre_save, {"locale"}),
        (post_save, {"locale"}),
    ]


def test_an_old_hash_of_somebody_who_is_not_stored_yet(settings: Any) -> None:
    old = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, old]
    hashed = hashers.make_password("a long password", hasher="pbkdf2_sha256")
    assert User(email="ines@example.net", password=hashed).check_password("a long password")
