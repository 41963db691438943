"""The shop as it runs: Daphne, Celery's worker and its beat, a mail server, two people on sockets.

The commands are those of docs/adopting.md.
"""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest
import websockets

from marketplace.development.children import start_child, stop_children, wait_until
from tests.adoption.installation import HOST, Shop
from tests.adoption.visitor import Customer
from tests.live_sockets import expect

pytestmark = pytest.mark.processes

PEOPLE = """
from tests.cast import make_listing, make_person
ana, sol, teo = map(make_person, ("Ana", "Sol", "Teo"))
make_listing(sol, "Walnut sideboard")
"""
WORKER = ["celery", "-A", "shopfront", "worker", "--pool", "threads", "--concurrency", "2"]
BEAT = ["celery", "-A", "shopfront", "beat", "--schedule"]


@pytest.fixture(scope="module")
def open_shop(shop: Shop) -> Iterator[Shop]:
    before = shop.environment
    shop.environment = before | {"SHOP_SITE": shop.url, "DJANGO_SETTINGS_MODULE": "shopfront.soon"}
    shop.manage("migrate", "--verbosity", "0")
    shop.manage("collectstatic", "--no-input", "--verbosity", "0")
    shop.manage("shell", "--no-imports", "-c", PEOPLE)
    shop.mails.start()
    listen = ["--bind", "127.0.0.1", "--port", str(shop.port)]
    web = start(shop, "web", ["messaging.daphne", *listen, "shopfront.asgi:application"])
    rest = [start(shop, "worker", WORKER)]
    rest += [start(shop, "beat", [*BEAT, str(shop.directory / "beat")])]
    wait_until(
        lambda: answers(shop),
        seconds=30,
        what=f"the shop's web server (see {shop.directory}/web.log)",
        child=web,
    )
    yield shop
    stop_children([web, *rest], seconds=5)
    shop.mails.stop()
    shop.environment = before


def start(shop: Shop, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
    with (shop.directory / f"{name}.log").open("ab") as log:
        return start_child(
            [sys.executable, "-m", *command],
            environment=shop.environment,
            directory=HOST,
            output=log,
        )


def answers(shop: Shop) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=3)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def test_from_the_first_question_to_a_mail(open_shop: Shop) -> None:
    ana, sol, teo = (Customer(open_shop, name) for name in ("ana", "sol", "teo"))
    asked = {"message": "Is it still there?", "client_message_id": str(uuid4())}
    status, receipt = ana.post("/listings/walnut-sideboard/conversation/", **asked)
    assert status == http.HTTPStatus.CREATED
    path = f"/ws/room/{receipt['conversation']}/"
    asyncio.run(talk(open_shop, path, ana, sol, teo))
    assert teo.get(f"/conversation/{receipt['conversation']}/")[0] == http.HTTPStatus.NOT_FOUND
    [row] = sol.get("/conversations/")[1]["results"]
    assert (row["other"]["username"], row["last_message"]["message"]) == ("Ana", "Wonderful.")
    [message] = open_shop.mails.wait_for("sol@example.com")
    text = message.get_body(("plain",))
    assert text is not None
    assert "Wonderful." in text.get_content()
    assert f"{open_shop.url}/conversation/{receipt['conversation']}/" in text.get_content()
    assert open_shop.mails.sent_to("teo@example.com") == []


def test_the_doctor_finds_nothing_wrong_with_the_layer(open_shop: Shop) -> None:
    """By the settings of the document. Whatever else it finds here is of the tests' own making."""
    ran = subprocess.run(
        [sys.executable, "manage.py", "messaging_doctor", "--json"],
        cwd=HOST,
        env=open_shop.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = json.loads(ran.stdout)["findings"]
    of_layer = [one for one in found if one["question"] in ("layer", "bus")]
    assert {one["question"] for one in of_layer} == {"layer", "bus"}, ran.stderr
    assert {one["level"] for one in of_layer} == {"fine"}, of_layer


async def talk(shop: Shop, path: str, ana: Customer, sol: Customer, teo: Customer) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(shop, path, teo)
    assert refused.value.response.status_code == http.HTTPStatus.FORBIDDEN
    async with await connect(shop, path, ana) as of_ana:
        async with await connect(shop, path, sol) as of_sol:
            await expect(of_sol, "ready")
            await say(of_sol, "It is.")
            frame = await expect(of_ana, "chat_message", message="It is.")
            assert frame["username"] == "Sol"
        await say(of_ana, "Wonderful.")


async def connect(shop: Shop, path: str, who: Customer) -> websockets.ClientConnection:
    return await websockets.connect(
        f"ws://localhost:{shop.port}{path}",
        origin=websockets.Origin(shop.url),
        additional_headers={"Cookie": who.cookie_header},
    )


async def say(socket: websockets.ClientConnection, text: str) -> None:
    frame = {"type": "chat_message", "client_message_id": str(uuid4()), "message": text}
    await socket.send(json.dumps(frame))
    await expect(socket, "ack", client_message_id=frame["client_message_id"])
