"""What is promised under Daphne and holds under `messaging.uvicorn`, too: the same tests once more,
and what only its own way in and out could break."""

import asyncio
import json
import uuid
from collections.abc import Iterator

import pytest
import websockets
from websockets.frames import Frame, Opcode

from tests.live import Live
from tests.processes.crowds import make_talks, measure_stalled
from tests.processes.pressing import expect

# pytest runs them here as well, with this module's `live`.
from tests.processes.test_control_frames import (  # noqa: F401
    ana,
    memory,
    test_a_goodbye_that_nobody_reads_waits_for_nobody,
    test_pings_and_pieces_of_everyday_size_are_served,
    test_who_reads_is_told_why,
    test_who_reads_nothing_is_cut_before_it_costs_a_mebibyte,
)
from tests.processes.test_hostile_sockets import (  # noqa: F401
    test_a_frame_of_the_largest_size_is_read_and_a_larger_one_cut,
    test_a_restart_tells_the_sockets_to_come_back,
    test_bytes_that_are_no_text_end_the_connection,
    test_fragments_are_counted_together,
    test_nothing_is_compressed,
    test_other_paths_are_refused,
    test_signing_out_ends_the_socket_of_that_session,
    test_strangers_and_foreign_origins_are_refused,
    visitor,
)

pytestmark = pytest.mark.processes

FEW, MANY = 6, 18  # Clients that read nothing.
TEXTS = ["Hola", "🚲" * 4_000, "in pieces " * 300, "x"]


@pytest.fixture(scope="module")
def live(live: Live) -> Iterator[Live]:
    with live.served_by("uvicorn") as other:
        yield other


def said(text: str) -> str:
    return json.dumps({"message": text, "client_message_id": str(uuid.uuid4())})


def in_pieces(text: str, *, of: int) -> bytes:
    """A message in several frames, with a ping between them."""
    data = text.encode()
    parts = [data[start : start + of] for start in range(0, len(data), of)]
    kinds = [Opcode.TEXT] + [Opcode.CONT] * (len(parts) - 1)
    ping = Frame(Opcode.PING, b"between").serialize(mask=True)
    return ping.join(
        Frame(kind, part, fin=part is parts[-1]).serialize(mask=True)
        for kind, part in zip(kinds, parts, strict=True)
    )


async def throw(socket: websockets.ClientConnection, data: bytes, *, at_once: int) -> None:
    for start in range(0, len(data), at_once):
        socket.transport.write(data[start : start + at_once])
        await asyncio.sleep(0)


@pytest.mark.parametrize("at_once", [1_000_000, 4_096, 7])
async def test_the_other_side_gets_whatever_way_it_comes(live: Live, at_once: int) -> None:
    """Whole frames, frames in pieces, and pieces of either: in their order, each once."""
    [talk] = make_talks(live, live.port, 1)
    async with talk.enter(talk.buyer) as buyer, talk.enter(talk.seller) as seller:
        await expect(buyer, "ready")
        await expect(seller, "ready")
        whole = (Frame(Opcode.TEXT, said(text).encode()).serialize(mask=True) for text in TEXTS)
        pieces = (in_pieces(said(text), of=1_000) for text in TEXTS)
        await throw(buyer, b"".join((*whole, *pieces, *whole)), at_once=at_once)
        heard = [await expect(seller, "chat_message") for _ in TEXTS * 2]
        acks = [await expect(buyer, "ack") for _ in TEXTS * 2]
    assert [frame["message"].strip() for frame in heard] == [text.strip() for text in TEXTS * 2]
    assert [frame["revision"] for frame in acks] == [frame["revision"] for frame in heard]


async def test_who_does_not_read_is_cut_and_others_get_everything(live: Live) -> None:
    with live.another_web() as port:
        few, many = await measure_stalled(live, port, (FEW, MANY))
    print(f"{FEW} cost {few:.1f} MiB, {MANY} cost {many:.1f} MiB")
    assert many - few <= MANY - FEW
