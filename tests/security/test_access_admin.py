"""The access matrix of the admin: every address of it, whoever asks.

There are ninety, alike but for the model's name, so that a rule stands for each: nobody but staff
sees that there is an admin, and staff without permission see of no model even a name. A model
that comes into the admin needs a row here.
"""

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from messaging.models import Conversation
from tests.security.addresses import expect_no_key_in_addresses
from tests.security.routes import fill_in, list_routes
from tests.security.world import SECRET, World, make_world, text_of, undone

pytestmark = pytest.mark.django_db
NO_STAFF = ("anonymous", "owner", "deactivated")
# What each member of the staff may ask for: nothing of it is about anybody.
FOR_ALL_STAFF = {
    "admin/", "admin/login/", "admin/logout/", "admin/password_change/", "admin/jsi18n/",
    "admin/password_change/done/",
}  # fmt: skip
# Those of the models, and what staff with all permissions may do there at most.
MODELS = {
    "auth.group": "everything",
    "account.emailaddress": "everything",
    "socialaccount.socialaccount": "everything",
    "accounts.user": "everything",
    "listings.listing": "everything",
    "privacy.dataexport": "look",
    "privacy.erasure": "look",
    "messaging.conversation": "look",
    "messaging.block": "look",
    "messaging.conversationlook": "look",
    "notifications.notification": "look",
}


@pytest.fixture
def world() -> World:
    return make_world()


def paths_of(world: World) -> dict[str, str]:
    values = dict(world.values)
    person = world.people["owner"].pk
    values |= {"object_id": person, "id": person, "app_label": "accounts", "url": "nothing/"}
    values |= {"content_type_id": ContentType.objects.get_for_model(Conversation).pk}
    values |= {"key": world.conversation.pk}
    routes = [route for route in list_routes() if route.startswith("admin/")]
    assert len(routes) > 60
    own: dict[str, dict[str, object]] = {"admin/accounts/user/<str:key>/address/": {"key": person}}
    own |= {route: {"object_id": world.conversation.pk} for route in routes if "admin/r/" in route}
    return {route: fill_in(route, values | own.get(route, {})) for route in routes}


def test_each_model_of_the_admin_has_a_row() -> None:
    assert {model._meta.label_lower for model in admin.site._registry} == set(MODELS)


def test_who_is_no_staff_is_led_to_log_in_by_everything(world: World) -> None:
    for route, path in paths_of(world).items():
        for who in NO_STAFF:
            for method in ("get", "post"):
                client = world.clients[who]
                with undone(client) as written:
                    answer = getattr(client, method)(path)
                assert answer.status_code in (302, 403), (route, who)
                target = answer.headers.get("Location", "")
                assert answer.status_code == 403 or "login/" in target or "logout" in route, target
                assert not written, (route, who)
                text = text_of(answer)
                for word in (SECRET, *world.words_kept_from(who, takes_part=False)):
                    assert word not in text, (route, who)


def test_staff_without_permission_see_that_there_is_one(world: World) -> None:
    client = world.clients["clerk"]
    for route, path in paths_of(world).items():
        for method in ("get", "post"):
            with undone(client) as written:
                answer = getattr(client, method)(path)
            allowed = route in FOR_ALL_STAFF or answer.status_code in (302, 403, 404, 405)
            assert allowed, (route, answer.status_code)
            assert not written, (route, written)
            text = text_of(answer)
            for word in (SECRET, *world.words_kept_from("clerk", takes_part=False)):
                assert word not in text, route


def test_staff_with_permissions_may(world: World) -> None:
    """The positive control: each model's list opens, and what may only be looked at is not added
    to, changed or deleted."""
    client = world.clients["staff"]
    for model, may in MODELS.items():
        app, name = model.split(".")
        pages = [client.get(f"/admin/{app}/{name}/{tail}") for tail in ("", "add/")]
        expected = {"everything": 200, "look": 403}[may]
        assert pages[0].status_code == 200, model
        assert pages[1].status_code == expected or model == "listings.listing", model
        for page in pages:
            expect_no_key_in_addresses(client, page, text_of(page))
    path = f"/admin/messaging/conversation/{world.conversation.pk}/messages/"
    with transaction.atomic(), undone(client) as written:
        assert SECRET in text_of(client.get(path))
    assert "messaging_conversationlook" in written  # That it was looked at is noted.


def test_who_may_see_conversations_sees_not_what_was_said(world: World) -> None:
    """One permission of the two; and none to put people in, which is another."""
    client = world.clients["looker"]
    page = f"/admin/messaging/conversation/{world.conversation.pk}/"
    assert client.get("/admin/messaging/conversation/").status_code == 200
    for tail in ("messages/", "participants/"):
        for method in ("get", "post"):
            with undone(client) as written:
                answer = getattr(client, method)(page + tail, {"person": world.people["looker"].pk})
            assert answer.status_code == 403, (method, tail)
            assert not written
            assert SECRET not in text_of(answer)
