"""Every page of the account, opened the way a person comes to it."""

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.browser.codes import app_code
from tests.cast import PASSWORD

# Path, and what a picture of it is called.
PAGES = {
    "/accounts/": "account",
    "/accounts/profile/": "profile",
    "/accounts/email/": "email",
    "/accounts/password/change/": "password",
    "/accounts/sessions/": "sessions",
    "/accounts/2fa/": "second-factor-off",
    "/accounts/2fa/totp/activate/": "authenticator-app",
    "/accounts/2fa/webauthn/": "passkeys-none",
    "/accounts/2fa/webauthn/add/": "add-passkey",
    "/accounts/deactivate/": "deactivate",
}
PAGES_WITH_FACTORS = {
    "/accounts/2fa/": "second-factor-on",
    "/accounts/2fa/recovery-codes/": "recovery-codes",
    "/accounts/2fa/recovery-codes/generate/": "new-recovery-codes",
    "/accounts/2fa/totp/deactivate/": "authenticator-app-off",
    "/accounts/2fa/webauthn/": "passkeys",
    "/accounts/2fa/reauthenticate/": "confirm-by-code",
    "/accounts/2fa/webauthn/reauthenticate/": "confirm-by-passkey",
    "/accounts/reauthenticate/": "confirm-by-password",
}


def plug_in_authenticator(page: Page, *, transport: str = "internal") -> None:
    """A fingerprint reader that always says yes, as the devtools of Chromium have one. One in the
    device keeps every passkey; one on `usb` keeps those that are to sign in by themselves."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": transport,
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def confirm_password(page: Page, password: str = PASSWORD) -> None:
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Confirm").click()


def submit_app(page: Page) -> str:
    """On the page that turns the app on. The secret that the app keeps."""
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("The code that the app shows").fill(app_code(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("status")).to_contain_text("The authenticator app is on.")
    return secret


def submit_passkey(page: Page, name: str, *, signs_in: bool = True) -> None:
    page.get_by_label("A name for it").fill(name)
    page.get_by_label("Sign in with it instead of the password").set_checked(signs_in)
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("status")).to_contain_text("The passkey is added.")


def wait_for_next_code(used: str, secret: str) -> str:
    """The app's next one: a code is good once, and these are real clocks."""
    while (code := app_code(secret)) == used:
        time.sleep(0.5)
    return code


def open_account_pages(page: Page) -> Iterator[str]:
    """Signed in, with an authenticator plugged in. What the open page is called, page by page."""
    page.goto("/accounts/deactivate/")
    confirm_password(page)
    for path, name in PAGES.items():
        open_page(page, path)
        yield name
    page.goto("/accounts/2fa/totp/activate/")
    submit_app(page)
    page.goto("/accounts/2fa/webauthn/add/")
    submit_passkey(page, "Phone")
    for path, name in PAGES_WITH_FACTORS.items():
        open_page(page, path)
        yield name
    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("link", name="Rename Phone").click()
    yield "rename-passkey"
    page.go_back()
    page.get_by_role("link", name="Remove Phone").click()
    yield "remove-passkey"


def open_page(page: Page, path: str) -> None:
    page.goto(path)
    assert urlsplit(page.url).path == path, page.url
    expect(page.locator("main h1")).to_be_visible()
