"""What ends an account's power stands, whoever saves the person at the same moment.

Each door that saves people is stopped just before it writes to their row, and meanwhile the account
is closed, erased, given another password or less power, and that is committed, if it can be.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core import mail
from django.db import connection
from django.test import Client

from accounts.deactivation import deactivate_person
from accounts.models import User
from accounts.sessions import end_sessions
from marketplace.privacy.services.erasure import request_erasure
from tests.cast import PASSWORD, make_person
from tests.security.bodies import BODIES, NEW_PASSWORD
from tests.security.test_writes_after_the_end import ending_meanwhile, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
THIRD_PASSWORD = "Neither-of-them-31"


def demote(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_staff=False, is_superuser=False)


def deactivate(user: User) -> None:
    deactivate_person(user=User.objects.get(pk=user.pk))


def erase(user: User) -> None:
    demote(user)
    request_erasure(user=user)


def set_password(user: User) -> None:
    person = User.objects.get(pk=user.pk)
    person.set_password(THIRD_PASSWORD)
    person.save()
    end_sessions(user=person)


# What happens meanwhile, and what has to be so for good.
ENDS: dict[str, tuple[Callable[[User], None], Callable[[User], bool]]] = {
    "deactivation": (deactivate, lambda user: not user.is_active),
    "erasure": (erase, lambda user: not user.is_active and not user.has_usable_password()),
    "demotion": (demote, lambda user: not user.is_staff and not user.is_superuser),
    "new password": (set_password, lambda user: user.check_password(THIRD_PASSWORD)),
}


def save_profile(client: Client, user: User) -> Any:
    return client.post("/accounts/profile/", BODIES["accounts/profile/"])


def change_password(client: Client, user: User) -> Any:
    return client.post("/accounts/password/change/", BODIES["accounts/password/change/"])


def reset_password(client: Client, user: User) -> Any:
    """By the link of a mail, signed out."""
    client.logout()
    client.post("/accounts/password/reset/", {"email": user.email})
    [link] = re.findall(r"/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    form = client.get(link, follow=True).redirect_chain[-1][0]
    return client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})


def rename_by_staff(client: Client, user: User) -> Any:
    """With the form as it was when staff opened it."""
    shown = {"is_active": "on", "initial-is_active": "True"}
    shown |= {"is_staff": "on", "initial-is_staff": "True", "initial-is_superuser": "False"}
    dates = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    fields = shown | dates | {"display_name": "Another", "locale": "", "time_zone": ""}
    boss = sign_in(User.objects.get(email="boss@example.com"))
    return boss.post(f"/admin/accounts/user/{user.pk}/change/", fields)


def make_address_primary(client: Client, user: User) -> Any:
    EmailAddress.objects.create(user=user, email="second@example.com", verified=True)
    fields = {"email": "second@example.com", "action_primary": ""}
    return client.post("/accounts/email/", fields)


DOORS = [save_profile, change_password, reset_password, rename_by_staff, make_address_primary]
# In the order of the doors: what decides over the account, and what only names it.
CASES = [(door, end) for door in DOORS for end in ("deactivation", "demotion")]
CASES += [(door, end) for door in DOORS[:3] for end in ("erasure", "new password")]


@pytest.mark.parametrize(
    ("door", "end"), CASES, ids=[f"{door.__name__}-{end}" for door, end in CASES]
)
def test_saving_a_person_undoes_nothing(door: Callable[..., Any], end: str) -> None:
    if door is reset_password and connection.vendor == "sqlite" and end == "new password":
        pytest.skip("one writer at a time: the reset itself comes first")
    ana = make_person("Ana", is_staff=True)
    make_person("Boss", is_staff=True, is_superuser=True)
    client = sign_in(ana)
    meanwhile, stands = ENDS[end]
    with ending_meanwhile(meanwhile, ana, table="accounts_user") as ended_first:
        answer = door(client, ana)
    assert ended_first, "nothing was written"
    assert answer.status_code in (302, 400), answer.status_code
    is_closed = end in ("deactivation", "erasure")  # Else nobody is told that it is.
    assert is_closed or "inactive" not in answer.headers.get("Location", "")
    person = User.objects.get(pk=ana.pk)
    assert stands(person)
    signing_in = Client()
    for password in (PASSWORD, NEW_PASSWORD) if end != "demotion" else ():
        signing_in.post("/accounts/login/", {"login": person.email, "password": password})
    assert "_auth_user_id" not in signing_in.session


@pytest.mark.parametrize("end", ["deactivation", "demotion"])
def test_a_form_that_staff_opened_before_undoes_nothing(end: str) -> None:
    ana = make_person("Ana", is_staff=True)
    boss = make_person("Boss", is_staff=True, is_superuser=True)
    page = sign_in(boss).get(f"/admin/accounts/user/{ana.pk}/change/").content.decode()
    for name, value in {"is_active": "True", "is_staff": "True", "is_superuser": "False"}.items():
        assert re.search(f'name="initial-{name}" value="{value}"', page), name
    meanwhile, stands = ENDS[end]
    meanwhile(ana)
    assert rename_by_staff(Client(), ana).status_code == 302
    person = User.objects.get(pk=ana.pk)
    assert stands(person)
    assert person.display_name == "Another"


@pytest.mark.parametrize("end", ENDS)
def test_only_what_was_changed_is_written(end: str) -> None:
    """Whatever code saves a person as a whole, ours or not, after the end was committed."""
    meanwhile, stands = ENDS[end]
    ana = make_person("Ana", is_staff=True)
    for read in (User.objects.get(pk=ana.pk), User.objects.only("locale").get(pk=ana.pk), ana):
        read.locale = "es" if read.locale == "en" else "en"
        meanwhile(ana)
        read.save()
        assert stands(User.objects.get(pk=ana.pk))
        assert User.objects.get(pk=ana.pk).locale == read.locale


def test_what_was_changed_is_written_again_and_again() -> None:
    """Negative control: what is set back is a change as well, and so is what was read anew."""
    ana = make_person("Ana")
    for name in ("Anita", "Ana", "Anita"):
        ana.display_name = name
        ana.save()
        assert User.objects.get(pk=ana.pk).display_name == name
    User.objects.filter(pk=ana.pk).update(display_name="Other")
    ana.refresh_from_db()
    ana.display_name = "Anita"
    ana.save()
    assert User.objects.get(pk=ana.pk).display_name == "Anita"


def test_who_is_gone_does_not_come_back() -> None:
    ana = make_person("Ana")
    User.objects.filter(pk=ana.pk).delete()
    ana.display_name = "Back again"
    with pytest.raises(Exception, match="did not affect any rows"):
        ana.save()
    assert not User.objects.exists()


def test_hashing_anew_undoes_no_new_password(settings: Any) -> None:
    """A sign-in with the old one, hashed as it was years ago, while a new one is chosen."""
    ana = make_person("Ana")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    old = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=10)
    User.objects.filter(pk=ana.pk).update(password=old)
    signing_in = User.objects.get(pk=ana.pk)
    set_password(ana)
    assert signing_in.check_password(PASSWORD)
    assert User.objects.get(pk=ana.pk).check_password(THIRD_PASSWORD)
    User.objects.filter(pk=ana.pk).update(password=old)
    assert User.objects.get(pk=ana.pk).check_password(PASSWORD)
    assert User.objects.get(pk=ana.pk).password != old  # Else nothing was to be undone.
