"""Who gets what answer from each page, measured once and read line by line.

A cell is a status: `L` where it leads to log-in, `R` to typing the password once more; `*` where
something was written. A route without a line here fails `test_access_pages.py`.
"""

# ruff: noqa: E501 - A table is read by its columns.

from dataclasses import dataclass

from tests.security.world import PEOPLE

SOME = ("anonymous", "stranger", "owner", "other", "staff", "deactivated")
FEW = ("anonymous", "stranger", "owner", "deactivated")

# anonymous, stranger, owner (the buyer), other (the seller), blocked, left, removed, clerk, staff,
# deactivated: as in `world.PEOPLE`.
OF_CONVERSATIONS = """
GET  302  302  302  302  302  302  302  302  302  302  listings/<str:listing>/conversation/
POST 303L 303* 303* 400  403* 303* 303* 303* 303* 303L listings/<str:listing>/conversation/
GET  302L 200  200  200  200  200  200  200  200  302L conversations/
POST 405  405  405  405  405  405  405  405  405  405  conversations/
GET  302L 200  200  200  200  200  200  200  200  302L seller/
POST 405  405  405  405  405  405  405  405  405  405  seller/
GET  302L 404  200  200  200  404  404  404  404  302L conversation/<str:conversation_id>/
POST 405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/
GET  405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/new_message/
POST 302L 404  303* 403  403  404  404  404  404  302L conversation/<str:conversation_id>/new_message/
GET  302L 404  200  200  200  404  404  404  404  302L conversation/<str:conversation_id>/messages/
POST 405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/messages/
GET  405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/read/
POST 302L 404  303* 303* 303  404  404  404  404  302L conversation/<str:conversation_id>/read/
GET  302L 404  200  403  403  404  404  404  404  302L conversation/<str:conversation_id>/messages/<str:sequence>/edit/
POST 302L 404  303* 403  403  404  404  404  404  302L conversation/<str:conversation_id>/messages/<str:sequence>/edit/
GET  302L 404  200  403  403  404  404  404  404  302L conversation/<str:conversation_id>/messages/<str:sequence>/delete/
POST 302L 404  303* 403  403  404  404  404  404  302L conversation/<str:conversation_id>/messages/<str:sequence>/delete/
GET  405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/archive/
POST 302L 404  303* 303* 303* 404  404  404  404  302L conversation/<str:conversation_id>/archive/
GET  405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/star/
POST 302L 404  303* 303* 303* 404  404  404  404  302L conversation/<str:conversation_id>/star/
GET  405  405  405  405  405  405  405  405  405  405  conversation/<str:conversation_id>/mute/
POST 302L 404  303* 303* 303* 404  404  404  404  302L conversation/<str:conversation_id>/mute/
GET  302L 404  200  200  200  404  404  404  404  302L conversation/<str:conversation_id>/leave/
POST 302L 404  303* 303* 303* 404  404  404  404  302L conversation/<str:conversation_id>/leave/
GET  302L 200  200  200  200  200  200  200  200  302L people/blocked/
POST 405  405  405  405  405  405  405  405  405  405  people/blocked/
GET  405  405  405  405  405  405  405  405  405  405  people/<str:user_id>/block/
POST 302L 404  303* 404  303* 303* 303* 404  404  302L people/<str:user_id>/block/
"""

# Addresses that name a thing: anonymous, stranger, owner, other, staff, deactivated.
OF_THINGS = """
GET  200  200  200  200  200  200  listings/<slug:slug>/
POST 405  405  405  405  405  405  listings/<slug:slug>/
GET  302L 404  200  404  404  302L sell/<slug:slug>/
POST 302L 404  302* 404  404  302L sell/<slug:slug>/
GET  302L 405  405  405  405  302L sell/<slug:slug>/state/
POST 302L 404  302* 404  404  302L sell/<slug:slug>/state/
GET  302L 404  200  404  404  302L accounts/privacy/export/<uuid:export_id>/
POST 405  405  405  405  405  405  accounts/privacy/export/<uuid:export_id>/
GET  302L 405  405  405  405  302L accounts/sessions/<int:session_id>/end/
POST 302L 404  302  404  404  302L accounts/sessions/<int:session_id>/end/
GET  404  404  404  404  404  404  accounts/oidc/<slug:provider_id>/login/
POST 404  404  404  404  404  404  accounts/oidc/<slug:provider_id>/login/
GET  200  200  200  200  200  200  accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$
POST 200  200  200  200  200  200  accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$
GET  302L 404  200  404  404  302L accounts/2fa/webauthn/keys/<int:pk>/remove/
POST 302L 404  302* 404  404  302L accounts/2fa/webauthn/keys/<int:pk>/remove/
GET  302L 404  200  404  404  302L accounts/2fa/webauthn/keys/<int:pk>/edit/
POST 302L 404  302* 404  404  302L accounts/2fa/webauthn/keys/<int:pk>/edit/
GET  404  404  404  404  404  404  accounts/oidc/^(?P<provider_id>[^/]+)/login/
POST 404  404  404  404  404  404  accounts/oidc/^(?P<provider_id>[^/]+)/login/
GET  404  404  404  404  404  404  accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/
POST 404  404  404  404  404  404  accounts/oidc/^(?P<provider_id>[^/]+)/login/callback/
GET  200  200  200  200  200  200  media/<path:name>
POST 405  405  405  405  405  405  media/<path:name>
"""

# Addresses that name nothing, where everybody finds their own: anonymous, stranger, owner,
# deactivated.
OF_EVERYTHING_ELSE = """
GET  200  200  200  200  /
POST 405  405  405  405  /
GET  302L 200  200  302L sell/
POST 302L 405  405  302L sell/
GET  302L 200  200  302L sell/new/
POST 302L 302* 302* 302L sell/new/
GET  200  200  200  200  health/live/
POST 200  200  200  200  health/live/
GET  200  200  200  200  health/ready/
POST 200  200  200  200  health/ready/
GET  404  404  404  404  metrics/
POST 404  404  404  404  metrics/
GET  302L 200  200  302L accounts/privacy/export/
POST 302L 302* 302* 302L accounts/privacy/export/
GET  302L 200  200  302L accounts/privacy/erase/
POST 302L 400  302* 302L accounts/privacy/erase/
GET  200  200  200  200  accounts/privacy/erased/
POST 405  405  405  405  accounts/privacy/erased/
GET  302L 200  200  302L accounts/
POST 302L 405  405  302L accounts/
GET  302L 200  200  302L accounts/profile/
POST 302L 302* 302* 302L accounts/profile/
GET  302L 200  200  302L accounts/sessions/
POST 302L 405  405  302L accounts/sessions/
GET  302L 405  405  302L accounts/sessions/end-others/
POST 302L 302  302  302L accounts/sessions/end-others/
GET  302L 200  200  302L accounts/sign-in-again/
POST 302L 405  405  302L accounts/sign-in-again/
GET  302L 302  302  302L accounts/password/set/
POST 302L 302  302  302L accounts/password/set/
GET  302L 200  200  302L accounts/deactivate/
POST 302L 302* 302* 302L accounts/deactivate/
GET  200  302  302  200  accounts/login/
POST 200  302  302  200  accounts/login/
GET  302  200  200  302  accounts/logout/
POST 302  302  302  302  accounts/logout/
GET  200  200  200  200  accounts/inactive/
POST 405  405  405  405  accounts/inactive/
GET  200  302  302  200  accounts/signup/
POST 302* 302  302  302* accounts/signup/
GET  302L 200  200  302L accounts/reauthenticate/
POST 302L 302  302  302L accounts/reauthenticate/
GET  302L 200  200  302L accounts/email/
POST 302L 302  302  302L accounts/email/
GET  302L 302  302  302L accounts/confirm-email/
POST 302L 302  302  302L accounts/confirm-email/
GET  302L 200  200  302L accounts/password/change/
POST 302L 302* 302* 302L accounts/password/change/
GET  200  200  200  200  accounts/password/reset/
POST 302  302  302  302  accounts/password/reset/
GET  302L 302  302  302L accounts/login/code/confirm/
POST 302L 302  302  302L accounts/login/code/confirm/
GET  200  200  200  200  accounts/password/reset/key/done/
POST 405  405  405  405  accounts/password/reset/key/done/
GET  200  200  200  200  accounts/password/reset/done/
POST 405  405  405  405  accounts/password/reset/done/
GET  302L 200  200  302L accounts/2fa/
POST 302L 405  405  302L accounts/2fa/
GET  302L 302  302  302L accounts/2fa/authenticate/
POST 302L 302  302  302L accounts/2fa/authenticate/
GET  302L 302R 302R 302L accounts/2fa/reauthenticate/
POST 302L 302R 302R 302L accounts/2fa/reauthenticate/
GET  302L 200  200  302L accounts/2fa/totp/activate/
POST 302L 200  200  302L accounts/2fa/totp/activate/
GET  302L 404  404  302L accounts/2fa/totp/deactivate/
POST 302L 404  404  302L accounts/2fa/totp/deactivate/
GET  302L 404  404  302L accounts/2fa/recovery-codes/
POST 302L 405  405  302L accounts/2fa/recovery-codes/
GET  302L 200  200  302L accounts/2fa/recovery-codes/generate/
POST 302L 200  200  302L accounts/2fa/recovery-codes/generate/
GET  302L 404  404  302L accounts/2fa/recovery-codes/download/
POST 302L 404  404  302L accounts/2fa/recovery-codes/download/
GET  302L 200  200  302L accounts/2fa/webauthn/
POST 302L 405  405  302L accounts/2fa/webauthn/
GET  302L 200  200  302L accounts/2fa/webauthn/add/
POST 302L 200  200  302L accounts/2fa/webauthn/add/
GET  302L 302R 302R 302L accounts/2fa/webauthn/reauthenticate/
POST 302L 302R 302R 302L accounts/2fa/webauthn/reauthenticate/
GET  302L 302  302  302L accounts/2fa/webauthn/login/
POST 302L 302  302  302L accounts/2fa/webauthn/login/
GET  200  200  200  200  accounts/3rdparty/login/cancelled/
POST 405  405  405  405  accounts/3rdparty/login/cancelled/
GET  401  401  401  401  accounts/3rdparty/login/error/
POST 405  405  405  405  accounts/3rdparty/login/error/
GET  302L 302L 302L 302L accounts/3rdparty/signup/
POST 302L 302L 302L 302L accounts/3rdparty/signup/
GET  302L 200  200  302L accounts/3rdparty/
POST 302L 200  200  302L accounts/3rdparty/
GET  301  301  301  301  accounts/social/login/cancelled/
POST 301  301  301  301  accounts/social/login/cancelled/
GET  301  301  301  301  accounts/social/login/error/
POST 301  301  301  301  accounts/social/login/error/
GET  301  301  301  301  accounts/social/signup/
POST 301  301  301  301  accounts/social/signup/
GET  301  301  301  301  accounts/social/connections/
POST 301  301  301  301  accounts/social/connections/
GET  405  405  405  405  i18n/setlang/
POST 302  302* 302* 302  i18n/setlang/
"""


@dataclass(frozen=True)
class Row:
    method: str
    route: str
    cells: dict[str, str]


def read_table(table: str, people: tuple[str, ...]) -> list[Row]:
    rows = []
    for line in table.strip().splitlines():
        method, *cells, path = line.split()
        rows.append(Row(method, path.removeprefix("/"), dict(zip(people, cells, strict=True))))
    return rows


CONVERSATIONS = read_table(OF_CONVERSATIONS, PEOPLE)
ROWS = [
    *CONVERSATIONS,
    *read_table(OF_THINGS, SOME),
    *read_table(OF_EVERYTHING_ELSE, FEW),
]
