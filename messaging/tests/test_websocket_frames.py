"""The short way of a message through the server, beside a library that knows all of RFC 6455."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from messaging.websocket_frames import read_whole_text, size_of_frame, text_frame

LENGTHS = [0, 1, 125, 126, 127, 65_535]


def from_client(text: str, **different: bool) -> bytes:
    """As a browser sends it."""
    frame = Frame(Opcode.TEXT, text.encode(), **different)
    return bytes(frame.serialize(mask=True))


def parse(data: bytes) -> Frame:
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        while True:
            next(parsing)
    except StopIteration as end:
        frame: Frame = end.value
        return frame


@pytest.mark.parametrize("length", [*LENGTHS, 65_536, 70_000])
def test_what_is_sent_is_one_whole_text(length: int) -> None:
    frame = parse(text_frame(b"x" * length))
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, b"x" * length)


@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(max_size=20))
def test_what_a_client_sends_is_read_and_nothing_after_it(text: str, more: bytes) -> None:
    data = from_client(text)
    assert read_whole_text(data + more) == (text, len(data))


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_is_read_when_it_is_there_as_a_whole(length: int) -> None:
    data = from_client("x" * length)
    assert read_whole_text(data) == ("x" * length, len(data))
    assert {read_whole_text(data[:end]) for end in range(min(len(data), 200))} == {("", 0)}
    assert read_whole_text(data[:-1]) == ("", 0)


@pytest.mark.parametrize(
    "data",
    [
        text_frame(b"not masked"),
        from_client("not the last of its message", fin=False),
        bytes([0xC1]) + from_client("with an extension")[1:],
        bytes(Frame(Opcode.BINARY, b"no text").serialize(mask=True)),
        bytes(Frame(Opcode.PING, b"ping").serialize(mask=True)),
        bytes(Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True)),
        from_client("x" * 65_536),
        b"\x81\xfe\x00\x01" + b"\0\0\0\0" + b"x",  # A length that needs no 16 bits.
        b"\x81\xff" + (1).to_bytes(8) + b"\0\0\0\0" + b"x",
    ],
)
def test_everything_else_is_left_to_the_library(data: bytes) -> None:
    assert read_whole_text(data) == ("", 0)


@pytest.mark.parametrize("length", [*LENGTHS, 65_536, 70_000])
@pytest.mark.parametrize("masked", [True, False])
def test_the_size_of_any_frame_is_known_from_its_head(length: int, masked: bool) -> None:
    data = bytes(Frame(Opcode.CONT, b"x" * length).serialize(mask=masked))
    head = len(data) - length - (4 if masked else 0)
    sizes = {size_of_frame(data[:end]) for end in range(head)}
    assert sizes == {0}
    assert {size_of_frame(data[:head]), size_of_frame(data + b"more")} == {len(data)}
