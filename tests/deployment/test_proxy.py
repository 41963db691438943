"""What nginx lets in, keeps and says, with something small behind it: deploy/nginx/ for real."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from marketplace.development.children import wait_until
from marketplace.listings.uploads import MOST_BYTES_AT_ONCE
from tests.deployment.nginx import Nginx
from tests.deployment.upstream import Upstream

SESSION = f"__Host-csrftoken=x; __Host-sessionid={'a1' * 16}"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    server = Upstream()
    yield server
    server.shutdown()
    server.server_close()


def start(directory: Path, upstream: Upstream, main: str) -> Nginx:
    nginx = Nginx(directory / "nginx", [upstream.port, upstream.port], main)
    return nginx.start("-c", f"/etc/trato/{main}", "-g", "daemon off;")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Nginx]:
    running = start(tmp_path_factory.mktemp("own"), upstream, "nginx.conf")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Nginx]:
    """Behind a balancer at 127.0.0.9."""
    made = Nginx(tmp_path_factory.mktemp("balanced") / "nginx", [upstream.port] * 2, BALANCED)
    main = made.directory / "conf" / BALANCED
    main.write_text(main.read_text().replace("from 10.0.0.0/8", "from 127.0.0.9/32"))
    made.start("-c", f"/etc/trato/{BALANCED}", "-g", "daemon off;")
    yield made
    made.stop()


BALANCED = "behind-a-balancer.conf"


def connect(nginx: Nginx, *, source: str = "127.0.0.1") -> socket.socket:
    plain = socket.create_connection(("127.0.0.1", nginx.port), 10, source_address=(source, 0))
    if nginx.main == BALANCED:
        return plain
    return ssl._create_unverified_context().wrap_socket(plain)


def write_head(path: str, *lines: str, method: str = "GET") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: market.example", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def read_answer(connection: socket.socket) -> tuple[int, str]:
    """Its status and all the rest. The end of the connection is waited for only where nothing else
    ends the answer: nginx hangs up seconds later when it did not want the whole form."""
    connection.settimeout(10)
    text = b""
    while not is_whole(text) and (chunk := connection.recv(65536)):
        text += chunk
    return int(text.split()[1]), text.decode()


def is_whole(text: bytes) -> bool:
    head, end, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    return bool(end) and length is not None and len(body) >= int(length[1])


def ask(
    nginx: Nginx, path: str, *lines: str, method: str = "GET", source: str = "127.0.0.1"
) -> tuple[int, str]:
    with closing(connect(nginx, source=source)) as connection:
        connection.sendall(write_head(path, "Connection: close", *lines, method=method))
        return read_answer(connection)


def read_told(answer: str) -> dict[str, str]:
    """The headers that the process got."""
    told: dict[str, str] = json.loads(answer.rpartition("\r\n\r\n")[2])
    return told


def begin_form(
    nginx: Nginx, length: int, *lines: str, source: str, path: str = "/sell/new/"
) -> socket.socket:
    """Its head and no more."""
    connection = connect(nginx, source=source)
    head = (f"Content-Length: {length}", "Connection: close", *lines)
    connection.sendall(write_head(path, *head, method="POST"))
    return connection


def test_who_is_nobody_sends_no_photos(nginx: Nginx, upstream: Upstream) -> None:
    """Answered before any of it was sent, and nobody behind it hears of it."""
    before = len(upstream.asked)
    with closing(begin_form(nginx, 40 * MEGABYTE, source="127.0.1.1")) as connection:
        status, answer = read_answer(connection)
    assert status == 303
    assert "\r\nLocation: /accounts/login/?next=/sell/\r\n" in answer
    cookie = f"Cookie: other__Host-sessionid={'a1' * 16}; __Host-sessionid=short"
    with closing(begin_form(nginx, 40 * MEGABYTE, cookie, source="127.0.1.1")) as connection:
        assert read_answer(connection)[0] == 303
    assert len(upstream.asked) == before
    with closing(begin_form(nginx, 3, f"Cookie: {SESSION}", source="127.0.1.1")) as connection:
        connection.sendall(b"x=y")
        assert read_answer(connection)[0] == 200
    assert upstream.asked[before:] == ["/sell/new/"]


@pytest.mark.parametrize(
    ("path", "length", "expected"),
    [
        ("/sell/new/", 40 * MEGABYTE, None),
        ("/sell/walnut-sideboard/", 40 * MEGABYTE, None),
        ("/sell/new/", 42 * MEGABYTE, 413),
        ("/sell/walnut-sideboard/state/", MEGABYTE, 413),
        ("/sell/", MEGABYTE, 413),
        ("/accounts/profile/", MEGABYTE, 413),
    ],
)
def test_only_forms_with_photos_are_large(
    nginx: Nginx, path: str, length: int, expected: int | None
) -> None:
    """`None`: it waits for the rest."""
    given = begin_form(nginx, length, f"Cookie: {SESSION}", source="127.0.1.2", path=path)
    with closing(given) as connection:
        if expected is None:
            connection.settimeout(0.5)
            with pytest.raises(TimeoutError):
                connection.recv(1)
        else:
            assert read_answer(connection)[0] == expected


def test_a_page_below_it_brings_nothing_large_either(nginx: Nginx) -> None:
    lines = (f"Content-Length: {MEGABYTE}", f"Cookie: {SESSION}")
    assert ask(nginx, "/sell/new/", *lines)[0] == 413


def test_nginx_and_django_agree_on_the_largest_form(nginx: Nginx) -> None:
    site = (nginx.directory / "conf" / "site.conf").read_text()
    assert f"client_max_body_size {MOST_BYTES_AT_ONCE // MEGABYTE}m;" in site


def test_few_can_send_photos_at_once_and_fewer_from_one_address(nginx: Nginx) -> None:
    def begin(source: str) -> socket.socket:
        return opened.enter_context(
            closing(begin_form(nginx, MEGABYTE, f"Cookie: {SESSION}", source=source))
        )

    def count_from(source: str) -> int:
        """Places that somebody there gets before being refused."""
        for number in range(30):
            connection = begin(source)
            connection.settimeout(0.3)
            try:
                status, answer = read_refusal(connection)
            except TimeoutError:
                continue
            assert (status, "Retry-After: 5" in answer) == (429, True)
            return number
        return 30

    with ExitStack() as opened:
        taken = [count_from(f"127.0.2.{number}") for number in range(1, 8)]
    assert taken == [4, 4, 4, 4, 4, 4, 0]
    assert ask(nginx, "/sell/", source="127.0.2.7")[0] == 200


def read_refusal(connection: socket.socket) -> tuple[int, str]:
    text = connection.recv(65536)
    return int(text.split()[1]), text.decode()


def test_an_answer_that_nobody_fetches_fills_no_disk(nginx: Nginx, upstream: Upstream) -> None:
    """What is on its way is in buffers of the kernel and of nginx: bounded, whatever its length."""
    upstream.sent = 0
    with closing(connect(nginx, source="127.0.1.3")) as connection:
        connection.sendall(write_head("/long/"))
        connection.recv(1000)
        wait_until(lambda: stands_still(upstream), seconds=10, what="the answer to stand still")
        kept = sum(path.stat().st_size for path in nginx.directory.rglob("trato-proxy/**/*"))
    assert kept < MEGABYTE
    assert upstream.sent < 32 * MEGABYTE


def stands_still(upstream: Upstream) -> bool:
    before = upstream.sent
    time.sleep(0.5)  # Nothing tells that something will not happen.
    return 0 < before == upstream.sent


def test_the_log_holds_little_of_a_path(nginx: Nginx) -> None:
    ask(nginx, f"/{'y' * 5000}/")
    line = f'"place":"/{"y" * 40}"'  # Written after the answer.
    wait_until(lambda: line in nginx.log.read_text(), seconds=10, what="the line in the log")
    assert "y" * 41 not in nginx.log.read_text()


# --- Behind a balancer ----------------------------------------------------------------------------
SECURE = "X-Forwarded-Proto: https"


def through(
    nginx: Nginx, path: str, client: str, *lines: str, source: str = "127.0.0.9"
) -> tuple[int, str]:
    """By way of the balancer, on behalf of `client`."""
    return ask(nginx, path, f"X-Forwarded-For: {client}", *(lines or (SECURE,)), source=source)


def test_what_the_balancer_says_of_a_client_reaches_the_process(balanced: Nginx) -> None:
    status, answer = through(balanced, "/", "203.0.113.7")
    told = read_told(answer)
    assert (status, told["X-Forwarded-For"], told["X-Forwarded-Proto"]) == (
        200,
        "203.0.113.7",
        "https",
    )
    assert told["Host"] == "market.example"
    assert "Strict-Transport-Security: max-age=31536000" in answer


def test_what_the_client_put_before_it_is_not_believed(balanced: Nginx) -> None:
    told = read_told(through(balanced, "/", "10.1.1.1, 198.51.100.1, 203.0.113.7")[1])
    assert told["X-Forwarded-For"] == "203.0.113.7"


def test_there_is_one_redirect_and_no_circle(balanced: Nginx) -> None:
    status, answer = through(balanced, "/x/?y=z", "203.0.113.7", "X-Forwarded-Proto: http")
    assert status == 301
    assert "Location: https://market.example/x/?y=z" in answer
    assert through(balanced, "/x/?y=z", "203.0.113.7")[0] == 200


def test_past_the_balancer_nobody_gets_in(balanced: Nginx, upstream: Upstream) -> None:
    before = len(upstream.asked)
    for lines in ((), (SECURE,), (SECURE, "X-Forwarded-For: 203.0.113.7")):
        status, answer = ask(balanced, "/", *lines, source="127.0.0.8")
        assert (status, "Only by way of the balancer" in answer) == (403, True)
    assert through(balanced, "/", "203.0.113.7", "X-Else: x")[0] == 403  # It names no scheme.
    assert len(upstream.asked) == before


def test_the_balancer_itself_asks_how_it_is(balanced: Nginx) -> None:
    assert ask(balanced, "/health/ready/", source="127.0.0.9")[0] == 200


def test_limits_count_whom_the_balancer_names(balanced: Nginx) -> None:
    assert count_refused(balanced, ["203.0.113.8"] * 60) > 5
    assert through(balanced, "/accounts/login/", "203.0.113.9")[0] == 200


def count_refused(nginx: Nginx, clients: list[str]) -> int:
    """All ask at once, whatever the machine's pace: what is asked slowly is not too much."""
    with ExitStack() as opened:
        connections = [
            opened.enter_context(closing(connect(nginx, source="127.0.0.9"))) for _ in clients
        ]
        for connection, client in zip(connections, clients, strict=True):
            lines = ("Connection: close", f"X-Forwarded-For: {client}", SECURE)
            connection.sendall(write_head("/accounts/login/", *lines))
        return [read_answer(connection)[0] for connection in connections].count(429)


def test_a_network_of_ipv6_counts_as_one(balanced: Nginx) -> None:
    """Everybody has a whole one of 64 bits: an address more is no other person."""
    assert count_refused(balanced, [f"2001:db8:0:1::{number:x}" for number in range(1, 61)]) > 5
    assert through(balanced, "/accounts/login/", "2001:db8:0:2::1")[0] == 200


# --- On a machine, under systemd ------------------------------------------------------------------


def test_on_a_machine_the_log_goes_to_the_journal(tmp_path: Path, upstream: Upstream) -> None:
    """Through a socket: standard output is one there too, which nginx cannot open by its name."""
    made = Nginx(tmp_path / "nginx", [upstream.port] * 2, "on-a-machine.conf")
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as journal:
        journal.bind(str(made.directory / "journal"))
        (made.directory / "journal").chmod(0o666)
        journal.settimeout(10)
        made.start("-c", "/srv/trato/deploy/nginx/on-a-machine.conf", "-g", "daemon off;")
        try:
            assert ask(made, "/listings/?q=canary")[0] == 200
            line = journal.recv(8192).decode()
        finally:
            made.stop()
    assert "trato_proxy: " in line
    assert json.loads(line.partition("trato_proxy: ")[2])["place"] == "/listings"
    assert "canary" not in line
