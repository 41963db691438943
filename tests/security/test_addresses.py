"""No key stands in an address, where histories, logs and other sites would have it: the links,
forms and redirects of all pages are looked at where those are asked for (`test_access_pages.py`,
`test_access_admin.py`). Here is what finds them, and the one address that is a key."""

import re

import pytest
from django.core import mail
from django.http import HttpResponse, HttpResponseRedirect
from django.test import Client

from accounts.models import User
from tests.security.addresses import (
    RESET,
    expect_no_key_in_addresses,
    find_addresses,
    find_keys,
    find_mailed,
)
from tests.security.bodies import NEW_PASSWORD
from tests.security.test_writes_after_the_end import sign_in

pytestmark = pytest.mark.django_db
PLACES = [
    '<a href="/conversations/?key={key}">',
    '<form action="/accounts/{key}/" method="post">',
    "<img src='https://example.org/{key}.png'>",
    '<a href="?next=%2Fpage%3Fa%3D{key}">',
    '{{"next_url": "/conversations/?before={key}"}}',
    '<a href="otpauth://totp/Trato?secret={key}">',
]


@pytest.mark.parametrize("place", PLACES)
def test_a_key_in_an_address_is_found(place: str, buyer: User) -> None:
    """Negative control: of the session, of a form, in the session, and one of no known kind."""
    client = sign_in(buyer)
    client.get("/accounts/profile/")
    session = client.session
    session["waiting"] = {"secret": ["JBSWYYTPEHPKPXPJ"]}
    session.save()
    token = "T" * 64
    form = f'<input name="csrfmiddlewaretoken" value="{token}">'
    keys = [client.cookies[name].value for name in ("sessionid", "csrftoken")]
    keys += [token, "JBSWYYTPEHPKPXPJ"]
    assert set(keys) < find_keys(client, form)
    expect_no_key_in_addresses(client, HttpResponse(), form + place.format(key="lamp"))
    for key in (*keys, "7f" * 16):
        with pytest.raises(AssertionError):
            expect_no_key_in_addresses(client, HttpResponse(), form + place.format(key=key))
        with pytest.raises(AssertionError):
            expect_no_key_in_addresses(client, HttpResponseRedirect(f"/page/?a={key}"), form)


def test_what_is_no_key_is_left_alone(client: Client, buyer: User) -> None:
    for address in (
        "/conversation/0198c0de-0000-7000-8000-000000000001/",
        f"/media/photos/{'7f' * 16}-small.jpg",
        "/static/messaging/css/tokens.0123456789ab.css",
    ):
        text = f'<a href="{address}">'
        assert find_addresses(HttpResponse(), text) == {address}
        expect_no_key_in_addresses(client, HttpResponse(), text)


def test_the_link_of_a_forgotten_password_works_once_and_leads_where_it_is_no_more(
    client: Client, buyer: User
) -> None:
    client.post("/accounts/password/reset/", {"email": buyer.email})
    [link] = re.findall(r"https?://\S+/password/reset/key/\S+", str(mail.outbox[-1].body))
    found = RESET.search(link)
    assert found
    assert not find_mailed()  # It is the only exception, and it was in the mail.
    led = client.get(found[0])
    assert led.status_code == 302
    form = client.get(led.headers["Location"])
    expect_no_key_in_addresses(client, led, "")
    expect_no_key_in_addresses(client, form, form.content.decode())
    fields = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(led.headers["Location"], fields).status_code == 302
    again = Client().get(found[0])
    assert again.status_code == 200
    assert b"password1" not in again.content
