"""Many sockets asked about at once: each gets what it would have got alone."""

from datetime import timedelta
from importlib import import_module
from typing import Any, ClassVar
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.utils import timezone

from messaging.authentication import reads_together
from messaging.exceptions import NotFound, Unauthenticated
from messaging.models import Block, Conversation, Participant
from messaging.selectors import entering
from messaging.selectors.connections import Person
from messaging.tests.crowd import ask, make_listing

pytestmark = pytest.mark.django_db


@pytest.fixture
def key_of(client_of: Any) -> Any:
    return lambda user: client_of(user).cookies["sessionid"].value


def people_behind(*keys: str) -> list[Any]:
    return [getattr(person, "id", person) for person in entering.admit_people(keys)]


def admit(key: str) -> Person:
    (person,) = entering.admit_people([key])
    assert isinstance(person, Person)
    return person


def test_each_key_is_answered_with_its_own_person(
    buyer: Any, seller: Any, stranger: Any, key_of: Any, django_assert_num_queries: Any
) -> None:
    keys = [key_of(buyer), "never there", key_of(seller), "", key_of(buyer), key_of(stranger)]
    with django_assert_num_queries(2):
        found = people_behind(*keys)
    assert found == [buyer.pk, None, seller.pk, None, buyer.pk, stranger.pk]


def test_sessions_that_have_ended_are_nobodys(
    buyer: Any, seller: Any, stranger: Any, staff: Any, key_of: Any
) -> None:
    keys = [key_of(user) for user in (buyer, seller, stranger, staff)]
    assert None not in people_behind(*keys)
    Session.objects.filter(pk=keys[0]).update(expire_date=timezone.now() - timedelta(seconds=1))
    seller.set_password("another password")
    seller.save()
    get_user_model()._default_manager.filter(pk=stranger.pk).update(is_active=False)
    assert people_behind(*keys) == [None, None, None, staff.pk]


@pytest.mark.parametrize("change", ["no hash", "another hash", "a gone user", "another backend"])
def test_a_session_says_who_it_is_only_if_all_of_it_holds(
    buyer: Any, seller: Any, key_of: Any, change: str
) -> None:
    key, other = key_of(buyer), key_of(seller)
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    changes = {
        "no hash": {HASH_SESSION_KEY: ""},
        "another hash": {HASH_SESSION_KEY: "0" * 64},
        "a gone user": {SESSION_KEY: "999999"},
        "another backend": {"_auth_user_backend": "django.contrib.auth.backends.RemoteUserBackend"},
    }
    assert people_behind(key, other) == [buyer.pk, seller.pk]
    session.update(changes[change])
    session.save()
    assert people_behind(key, other) == [None, seller.pk]


def test_a_hash_by_an_earlier_secret_key_holds(buyer: Any, key_of: Any, settings: Any) -> None:
    key, earlier = key_of(buyer), settings.SECRET_KEY
    session = import_module(settings.SESSION_ENGINE).SessionStore(key).load()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [earlier]
    again = import_module(settings.SESSION_ENGINE).SessionStore(key)
    again.update(session)  # Signed with the key of now, as it would be after any change in it.
    again.save(must_create=False)
    assert people_behind(key) == [buyer.pk]
    assert admit(key).stamp.auth_hash == session[HASH_SESSION_KEY]
    settings.SECRET_KEY_FALLBACKS = []
    assert people_behind(key) == [None]


class Doorman(ModelBackend):
    """A host's backend that looks people up its own way."""

    closed_to: ClassVar[set[Any]] = set()

    def get_user(self, user_id: Any) -> Any:
        return None if user_id in self.closed_to else super().get_user(user_id)


@pytest.mark.parametrize("engine", ["cached_db", "file", "signed_cookies"])
def test_other_engines_and_backends_are_asked_in_their_own_way(
    buyer: Any, seller: Any, settings: Any, engine: str, tmp_path: Any
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    backend = f"{__name__}.Doorman"
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, backend]
    keys = []
    for user in (buyer, seller):
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY], session["_auth_user_backend"] = str(user.pk), backend
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        keys.append(session.session_key)
    assert people_behind(*keys) == [buyer.pk, seller.pk]
    Doorman.closed_to = {buyer.pk}
    assert people_behind(*keys) == [None, seller.pk]
    Doorman.closed_to = set()


def test_a_role_is_found_where_somebody_takes_part_and_nowhere_else(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    key_of: Any,
    django_assert_num_queries: Any,
) -> None:
    other = ask(make_listing(seller, "Another thing"), stranger)
    keys = [key_of(user) for user in (buyer, seller, stranger)]
    asked = [(key, room.pk) for room in (conversation, other) for key in keys]
    with django_assert_num_queries(3):
        found = entering.admit_to_rooms([*asked, (keys[0], uuid4()), ("gone", other.pk)])
    roles = [(each[0].id, each[1]) if isinstance(each, tuple) else each for each in found]
    assert roles == [
        *((buyer.pk, "buyer"), (seller.pk, "seller"), None),
        *(None, (seller.pk, "seller"), (stranger.pk, "buyer"), None, None),
    ]
    Participant.objects.filter(user=seller, conversation=other).update(left_at=timezone.now())
    again = entering.admit_to_rooms(asked)
    assert [each[1] if isinstance(each, tuple) else each for each in again] == [
        *("buyer", "seller", None, None, None, "buyer")
    ]


def test_rooms_are_told_apart(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    stranger: Any,
    key_of: Any,
    django_assert_num_queries: Any,
) -> None:
    other = ask(make_listing(seller, "Another thing"), stranger)
    ana, sol, teo = (admit(key_of(user)) for user in (buyer, seller, stranger))
    Block.objects.create(blocker=seller, blocked=stranger)
    Session.objects.filter(pk=teo.stamp.key).delete()
    asked = [(ana, conversation.pk), (sol, other.pk), (sol, conversation.pk), (ana, other.pk)]
    with django_assert_num_queries(4):
        rooms = entering.enter_rooms([*asked, (teo, other.pk), (teo, conversation.pk)])
    assert [type(room) for room in rooms] == [
        *(entering.Room, entering.Room, entering.Room, NotFound, Unauthenticated, Unauthenticated)
    ]
    first, second, third = [room for room in rooms if isinstance(room, entering.Room)]
    assert [p["username"] for p in first.participants] == ["Ana", "Sol"]
    assert [p["username"] for p in second.participants] == ["Teo", "Sol"]
    assert (first.other_ids, second.other_ids, third.other_ids) == ([seller.pk], [], [buyer.pk])
    assert (first.role, third.role) == ("buyer", "seller")
    assert third.other_groups == [f"consumer.{buyer.pk}"]
    assert second.other_groups == []


def test_what_is_wrong_about_one_costs_the_others_nothing(
    conversation: Conversation,
    buyer: Any,
    seller: Any,
    key_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A key from before the people had other ones, and a name that cannot be had."""
    other, key = key_of(seller), key_of(buyer)
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    before, session[SESSION_KEY] = session[SESSION_KEY], "not a number"
    session.save()
    wrong, right = entering.admit_people([key, other])
    assert isinstance(wrong, ValidationError)
    assert getattr(right, "id", None) == seller.pk
    session[SESSION_KEY] = before
    session.save()
    get_full_name = type(buyer).get_full_name

    def fail_for_one(user: Any) -> Any:
        return get_full_name(user) if user.pk != buyer.pk else 1 / 0

    monkeypatch.setattr(type(buyer), "get_full_name", fail_for_one)
    asked = [(key, conversation.pk), (other, conversation.pk)]
    nameless, admitted = entering.admit_to_rooms(asked)
    assert isinstance(nameless, ZeroDivisionError)
    assert isinstance(admitted, tuple)


def test_a_failing_database_is_everybodys(
    buyer: Any, key_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = key_of(buyer)

    def fail(*arguments: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("messaging.authentication._read_sessions", fail)
    with pytest.raises(OperationalError):
        entering.admit_people([key])


class Hidden(DatabaseSessionStore):
    """A host's engine that keeps its rows under other keys than the cookies say."""

    def _get_session_from_db(self) -> Any:
        return self.model.objects.filter(session_key=str(self.session_key)[::-1]).first()


@pytest.mark.parametrize("engine", ["db", "cached_db", "file"])
def test_what_is_read_together(settings: Any, engine: str) -> None:
    assert reads_together()
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    assert reads_together() == (engine != "file")
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Doorman"]
    assert not reads_together()


def test_an_engine_that_keeps_rows_its_own_way_is_asked_itself(
    buyer: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Hidden()
    store[SESSION_KEY] = str(buyer.pk)
    store["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    store[HASH_SESSION_KEY] = buyer.get_session_auth_hash()
    store.save()
    assert store.session_key is not None
    monkeypatch.setattr(f"{__name__}.SessionStore", Hidden, raising=False)
    settings.SESSION_ENGINE = __name__
    assert people_behind(store.session_key[::-1]) == [buyer.pk]
    assert people_behind(store.session_key) == [None]
