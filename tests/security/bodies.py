"""What is posted to each route so that whoever may do it succeeds."""

from tests.cast import PASSWORD

NEW_PASSWORD = "Wholly-new-words-77"
LISTING: dict[str, object] = {
    "title": "Oak table",
    "text": "Four legs.",
    "price": "12",
    "currency": "EUR",
}
BODIES: dict[str, dict[str, object]] = {
    "listings/<str:listing>/conversation/": {"message": "Hello"},
    "conversation/<str:conversation_id>/new_message/": {"message": "Hello"},
    "conversation/<str:conversation_id>/read/": {"sequence": 1},
    "conversation/<str:conversation_id>/messages/<str:sequence>/edit/": {"message": "Other words"},
    "conversation/<str:conversation_id>/archive/": {"on": 1},
    "conversation/<str:conversation_id>/star/": {"on": 1},
    "conversation/<str:conversation_id>/mute/": {"on": 1},
    "people/<str:user_id>/block/": {"on": 1},
    "sell/new/": LISTING,
    "sell/<slug:slug>/": LISTING,
    "sell/<slug:slug>/state/": {"state": "sold"},
    "accounts/privacy/erase/": {"address": "ana@example.com"},
    "accounts/profile/": {"display_name": "Anita", "locale": "", "time_zone": ""},
    "accounts/login/": {"login": "nobody@example.org", "password": "x"},
    "accounts/signup/": {
        "display_name": "Nia",
        "email": "nia@example.org",
        "password1": NEW_PASSWORD,
    },
    "accounts/reauthenticate/": {"password": PASSWORD},
    "accounts/email/": {"email": "new@example.org", "action_add": ""},
    "accounts/password/change/": {
        "oldpassword": PASSWORD,
        "password1": NEW_PASSWORD,
        "password2": NEW_PASSWORD,
    },
    "accounts/password/reset/": {"email": "ana@example.com"},
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": {"name": "Red key"},
    "i18n/setlang/": {"language": "es"},
}
