"""What each contender is sent and sends: the tutorial's frames, and those of the contract."""

from typing import Protocol

import msgspec

IDENTIFIER_LENGTH = 36
BODY_LENGTH = 100


class Arrival(msgspec.Struct):
    """One frame. `identifier` is of the message it is about; revision 0: there is none."""

    is_ack: bool
    identifier: str
    revision: int = 0


class Frame(msgspec.Struct):
    """What there is to look at in a frame of either; the rest is not even read."""

    type: str = ""
    message: str = ""
    client_message_id: str = ""
    revision: int = 0
    code: str = ""


_decode = msgspec.json.Decoder(Frame).decode
_encode = msgspec.json.Encoder().encode


class Dialect(Protocol):
    """How to say a message, and what an answer means. `read` gives None for other frames."""

    has_ack: bool
    # Whether a connection is told when it hears others. What they say before it has to read.
    is_greeted: bool

    def path(self, conversation: str) -> str: ...

    def say(self, identifier: str) -> bytes: ...

    def read(self, text: bytes) -> Arrival | None: ...

    def is_greeting(self, text: bytes) -> bool: ...


def body_of(identifier: str) -> str:
    return identifier.ljust(BODY_LENGTH, ".")


class Tutorial:
    """Everybody in the room gets every message, its sender too: that is the sender's ack."""

    has_ack = False
    is_greeted = False

    def path(self, conversation: str) -> str:
        return f"/ws/chat/{conversation}/"

    def say(self, identifier: str) -> bytes:
        return _encode({"message": body_of(identifier)})

    def read(self, text: bytes) -> Arrival | None:
        return Arrival(is_ack=False, identifier=_decode(text).message[:IDENTIFIER_LENGTH])

    def is_greeting(self, text: bytes) -> bool:
        return False


class RefusedMessage(Exception):
    """An `error` frame came: nothing that is measured from then on would mean anything."""


class Contract:
    """PROTOCOL: an ack for the sender, the message for everybody else."""

    has_ack = True
    is_greeted = True

    def path(self, conversation: str) -> str:
        return f"/ws/room/{conversation}/"

    def say(self, identifier: str) -> bytes:
        frame = {
            "type": "chat_message",
            "message": body_of(identifier),
            "client_message_id": identifier,
        }
        return _encode(frame)

    def read(self, text: bytes) -> Arrival | None:
        frame = _decode(text)
        match frame.type:
            case "chat_message":
                return Arrival(False, frame.message[:IDENTIFIER_LENGTH], frame.revision)
            case "ack":
                return Arrival(True, frame.client_message_id, frame.revision)
            case "error":
                raise RefusedMessage(frame.code)
        return None

    def is_greeting(self, text: bytes) -> bool:
        return _decode(text).type == "ready"
