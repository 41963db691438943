"""The services of docker-compose.yml for real: two web processes behind nginx, TLS, a browser."""

import http.client
import os
import re
import urllib.parse
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, WebSocket, expect, sync_playwright

from tests.browser.cast import Cast, Pair, Person
from tests.browser.conftest import launch_browser
from tests.browser.people import DESK, sign_in
from tests.browser.talking import ask, message, say, status
from tests.deployment.stack import WEB, Answer, Stack
from tests.services import services
from tests.services.databases import create_database, drop_database

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DATABASE = "trato_deployed"
STOPPED = "Too many tries."
MADE_DUE = """
from django.utils import timezone
from messaging.models import Participant
Participant.objects.filter(notify_at__isnull=False).update(notify_at=timezone.now())
"""
STATIC = re.compile(r'href="(/static/marketplace/css/base\.[0-9a-f]{12}\.css)"')
HEADERS = {
    "Content-Security-Policy": r"default-src 'none'; .*frame-ancestors 'none'.*",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": r"camera=\(\), .*",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    assert services.directory is not None
    main_url = os.environ["DATABASE_URL"]
    running = Stack(services.directory / "deployed", create_database(main_url, DATABASE))
    try:
        yield running.start()
    finally:
        running.stop()
        drop_database(main_url, DATABASE)


@pytest.fixture(scope="module")
def cast(stack: Stack) -> Cast:
    return Cast(stack)  # type: ignore[arg-type]  # It asks only for `manage`.


@pytest.fixture(scope="module")
def pair(cast: Cast) -> Pair:
    return cast.next_pair()


@pytest.fixture(scope="module")
def browser(stack: Stack) -> Iterator[Browser]:
    """Opened after the processes are started: its event loop is in the way of what comes next."""
    with sync_playwright() as playwright:
        launched = launch_browser(playwright)
        yield launched
        launched.close()


def open_page(browser: Browser, stack: Stack, person: Person) -> Page:
    """Signed in by the form, as everybody must."""
    context = browser.new_context(
        base_url=stack.url,
        viewport=DESK,  # type: ignore[arg-type]
        locale="en-GB",
        ignore_https_errors=True,
    )
    page = context.new_page()
    page.goto("/accounts/login/")
    sign_in(page, person.email)
    return page


def expect_headers(answer: Answer) -> None:
    for name, pattern in HEADERS.items():
        found = answer.headers.get_all(name) or []
        assert len(found) == 1, f"{name}: {found} ({answer.status})"
        assert re.fullmatch(pattern, found[0]), f"{name}: {found} ({answer.status})"


def test_every_service_is_well_by_its_own_check(stack: Stack) -> None:
    for name in (*WEB, "worker", "redis"):
        stack.wait_until_well(name)
    assert stack.processes["beat"].poll() is None


def test_two_people_talk_through_the_proxy(stack: Stack, pair: Pair, browser: Browser) -> None:
    buyer = open_page(browser, stack, pair.buyer)
    sockets: list[WebSocket] = []
    buyer.on("websocket", lambda socket: sockets.append(socket))
    seller = open_page(browser, stack, pair.seller)
    seller.goto("/seller/")
    buyer.goto(pair.listing)
    ask(buyer, "Is it still available?")
    row = seller.locator("#conversation-rows li").filter(has_text=pair.buyer.name)
    expect(row).to_contain_text("Is it still available?")
    row.get_by_role("link").first.click()
    expect(status(buyer, "Is it still available?")).to_have_text("Read")
    say(seller, "It is. Come and see it.")
    expect(message(buyer, "It is. Come and see it.")).to_be_visible()
    say(buyer, "This evening?")
    expect(message(seller, "This evening?")).to_be_visible()
    expect(status(seller, "It is. Come and see it.")).to_have_text("Read")
    assert sockets
    assert all(
        socket.url.startswith(f"wss://localhost:{stack.nginx.port}/ws/") for socket in sockets
    )
    expect_protected_cookies(buyer)
    for page in (buyer, seller):
        page.context.close()


def expect_protected_cookies(page: Page) -> None:
    cookies = {str(cookie.get("name")): cookie for cookie in page.context.cookies()}
    assert {"__Host-sessionid", "__Host-csrftoken"} <= set(cookies)
    for cookie in cookies.values():
        assert (cookie.get("secure"), cookie.get("path")) == (True, "/"), cookie
        assert cookie.get("sameSite") == "Lax"
    assert cookies["__Host-sessionid"].get("httpOnly")


def test_who_is_away_gets_a_mail_from_the_worker_that_beat_wakes(
    stack: Stack, cast: Cast, browser: Browser
) -> None:
    """The delay is the real one, minutes long: what was said is made that much older."""
    met = cast.next_pair()
    buyer = open_page(browser, stack, met.buyer)
    buyer.goto(met.listing)
    ask(buyer, "Would you take less?")
    stack.manage("shell", "--no-imports", "-c", MADE_DUE)
    [mail] = stack.mails.wait_for(met.seller.email)
    assert stack.url in mail.as_string().replace("=\n", "")
    assert str(mail["From"]).endswith("via Market <mail@market.example>")
    buyer.context.close()


def test_every_answer_has_the_headers_whoever_gives_it(stack: Stack) -> None:
    too_much = b"x" * 400_000
    answers = {
        "a page": (stack.ask("/"), 200),
        "a redirect": (stack.ask("/conversations/"), 302),
        "nothing": (stack.ask("/nothing/"), 404),
        "a static file": (stack.ask(find_static(stack)), 200),
        "no static file": (stack.ask("/static/nothing.css"), 404),
        "no photo": (stack.ask("/media/photos/nothing.jpg"), 404),
        "health": (stack.ask("/health/ready/"), 200),
        "the admin": (stack.ask("/admin/"), 302),
        "no token": (stack.ask("/accounts/login/", method="POST", body=b"login=x"), 403),
        "too large": (stack.ask("/accounts/login/", method="POST", body=too_much), 413),
        "a foreign host": (stack.ask("/", headers={"Host": "evil.example"}), 400),
        "a foreign socket": (
            stack.ask("/ws/inbox/", headers=handshake("https://evil.example")),
            403,
        ),
        "nobody's socket": (stack.ask("/ws/inbox/", headers=handshake(stack.url)), 403),
        "the metrics": (stack.ask("/metrics/"), 404),
    }
    for name, (answer, expected) in answers.items():
        assert answer.status == expected, name
        expect_headers(answer)


def handshake(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }


def find_static(stack: Stack) -> str:
    found = STATIC.search(stack.ask("/").text)
    assert found
    return found[1]


def test_without_tls_there_is_only_the_way_to_it(stack: Stack) -> None:
    port = stack.nginx.ports["8080"]
    plain = http.client.HTTPConnection("localhost", port, timeout=5)
    answer = Answer(plain, "GET", "/conversations/?q=x", None, {"Host": "localhost"})
    assert answer.status == 301
    assert answer.headers["Location"] == "https://localhost/conversations/?q=x"
    assert answer.headers["Strict-Transport-Security"] is None


def test_static_files_are_kept_by_the_proxy_and_by_browsers(stack: Stack) -> None:
    path = find_static(stack)
    first = stack.ask(path, headers={"Accept-Encoding": "gzip"})
    again = stack.ask(path, headers={"Accept-Encoding": "gzip", "Cookie": "__Host-sessionid=x"})
    assert "immutable" in first.headers["Cache-Control"]
    assert again.headers["X-Cache"] == "HIT"
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert again.headers["Content-Encoding"] == "gzip"
    assert stack.ask("/").headers["X-Cache"] is None


def test_photos_may_be_larger_than_other_forms(stack: Stack) -> None:
    body = b"x" * 400_000
    somebody = {"Cookie": f"__Host-sessionid={'a1' * 16}"}
    answer = stack.ask("/accounts/profile/", method="POST", body=body, headers=somebody)
    assert answer.status == 413
    answer = stack.ask("/sell/new/", method="POST", body=body, headers=somebody)
    assert answer.status == 403  # Of a process, which has looked at it.
    assert "This page was open for too long" in answer.text


def test_who_is_nobody_is_led_to_the_door_before_sending_photos(stack: Stack) -> None:
    answer = stack.ask("/sell/new/", method="POST", body=b"x" * 1000)
    assert (answer.status, answer.headers["Location"]) == (303, "/accounts/login/?next=/sell/")
    expect_headers(answer)


def test_somebody_puts_a_large_photo_online(stack: Stack, pair: Pair, browser: Browser) -> None:
    """Through the disks of nginx and of a process, which leave nothing behind."""
    seller = open_page(browser, stack, pair.seller)
    seller.goto("/sell/new/")
    seller.locator("[name=title]").fill("Oak bench")
    seller.locator("[name=text]").fill("Sturdy.")
    seller.locator("[name=price]").fill("40")
    files = [{"name": "bench.png", "mimeType": "image/png", "buffer": make_noise()}]
    seller.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    seller.get_by_role("button", name="Put it online").click()
    expect(seller.get_by_role("heading", name="Oak bench")).to_be_visible()
    expect(seller.locator("main img").first).to_be_visible()
    assert list((stack.directory / "scratch").iterdir()) == []
    kept = [path for path in stack.nginx.directory.glob("trato-body/**/*") if path.is_file()]
    assert kept == []
    seller.context.close()


def make_noise() -> bytes:
    """A picture of several megabytes."""
    file = BytesIO()
    Image.frombytes("RGB", (1200, 1200), os.urandom(1200 * 1200 * 3)).save(file, "PNG")
    assert file.tell() > 4_000_000
    return file.getvalue()


def test_prometheus_asks_each_process_by_its_name_inside(stack: Stack) -> None:
    """As docs/operations.md says; through the proxy there is no such page."""
    inside = {"Host": "web-1:8000", "Authorization": f"Bearer {stack.metrics_token}"}
    answer = stack.ask_process("web-1", "/metrics/", inside)
    assert answer.status == 200
    assert "messaging_connections" in answer.text
    assert stack.ask("/metrics/", headers={**inside, "Host": "localhost"}).status == 404
    assert stack.ask_process("web-1", "/health/ready/", {"Host": "web-1:8000"}).status == 200
    # Negative controls: no page but these, and nothing without the token.
    secure = {"X-Forwarded-Proto": "https"}
    assert stack.ask_process("web-1", "/", {**secure, "Host": "web-1:8000"}).status == 400
    assert stack.ask_process("web-1", "/metrics/", {"Host": "web-1:8000"}).status != 200


def test_what_a_client_says_of_its_way_here_is_not_believed(stack: Stack) -> None:
    claims = {
        "X-Forwarded-Proto": "http",
        "X_Forwarded_Proto": "http",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Port": "1",
        "Forwarded": "for=1.2.3.4;host=evil.example;proto=http",
    }
    answer = stack.ask("/accounts/login/", headers=claims)
    assert answer.status == 200
    assert "evil.example" not in answer.text + str(answer.headers)


def test_tries_are_counted_by_the_real_address(stack: Stack) -> None:
    """Each says another address in front of it; with the proxy asleep that would be believed."""
    answers = [try_password(stack, number, source="127.0.0.3") for number in range(14)]
    assert STOPPED in answers[-1].text
    assert STOPPED not in answers[0].text
    # Negative control: somebody at another address is not held up by that.
    assert STOPPED not in try_password(stack, 99, source="127.0.0.4").text


def try_password(stack: Stack, number: int, *, source: str) -> Answer:
    page = stack.ask("/accounts/login/", source=source)
    fields = {
        "csrfmiddlewaretoken": page.token,
        "login": f"nobody-{number}@example.org",
        "password": "wrong",
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": page.cookies,
        "Origin": stack.url,
        "X-Forwarded-For": f"10.0.0.{number}, 10.1.0.{number}",
        "X-Real-IP": f"10.0.0.{number}",
    }
    body = urllib.parse.urlencode(fields).encode()
    return stack.ask("/accounts/login/", method="POST", body=body, headers=headers, source=source)


def test_a_process_believes_only_what_its_proxy_writes(stack: Stack) -> None:
    """Without TLS, and without a proxy that says otherwise, there is nothing but the redirect."""
    assert stack.ask_process("web-1", "/", {}).status == 301
    assert stack.ask_process("web-1", "/", {"X-Forwarded-Proto": "https"}).status == 200


def test_one_address_cannot_ask_for_everything(stack: Stack) -> None:
    answers = [stack.ask("/health/live/", source="127.0.0.2") for _ in range(160)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused
    assert refused[0].headers["Retry-After"] == "5"
    expect_headers(refused[0])
    assert stack.ask("/health/live/").status == 200


def test_a_release_one_process_after_the_other_is_not_noticed(
    stack: Stack, pair: Pair, browser: Browser
) -> None:
    buyer, seller = (open_page(browser, stack, who) for who in (pair.buyer, pair.seller))
    buyer.goto(pair.listing)
    buyer.get_by_role("link", name="Continue the conversation").click()
    seller.goto(buyer.url)
    for number, name in enumerate(WEB):
        stack.end(name)
        others = [other for other in WEB if other != name]
        assert [stack.processes[other].poll() for other in others] == [None]
        assert {stack.ask("/health/live/").status for _ in range(6)} == {200}
        say(buyer, f"While {name} is away")
        expect(message(seller, f"While {name} is away")).to_be_visible(timeout=20_000)
        say(seller, f"Answer {number}")
        expect(message(buyer, f"Answer {number}")).to_be_visible(timeout=20_000)
        stack.launch(name)
        stack.wait_until_well(name)
    for page in (buyer, seller):
        page.context.close()


def test_the_log_has_no_keys_no_queries_and_no_addresses(stack: Stack) -> None:
    stack.ask("/accounts/password/reset/key/1-canary-key/?q=canary-word&mail=ana@example.org")
    log = stack.nginx.log.read_text()
    assert '"place":"/accounts"' in log
    assert "canary" not in log
    assert "ana@" not in log
    assert "127.0.0.2" not in log


def test_nothing_is_written_but_to_the_folder_for_data(stack: Stack, tmp_path: Path) -> None:
    """The containers' file systems are read-only: whatever runs must not mind."""
    built = (stack.directory / "srv" / "static" / "staticfiles.json").stat().st_mtime
    tree = [path for path in (stack.directory / "srv").rglob("*") if path.is_file()]
    written = [path for path in tree if path.stat().st_mtime > built + 5]
    assert written == []
    assert not list((stack.directory / "srv").rglob("__pycache__"))


def test_with_all_processes_away_it_says_so(stack: Stack) -> None:
    """The last test: nobody starts them again."""
    static = find_static(stack)
    for name in WEB:
        stack.end(name)
    answer = stack.ask("/")
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    expect_headers(answer)
    assert stack.ask(static).status == 200
