"""Frames that a client may throw at a socket: from a grammar, and valid ones with wounds."""

import json
import random
from typing import Any
from uuid import UUID

TYPES = ["chat_message", "edit", "delete", "read", "typing", "resume", "ping"]
ODD_TYPES = ["", "ready", "ack", "error", "post", "__init__", "close", "chat_message\x00", "Ping"]
FIELDS = ["type", "message", "client_message_id", "read", "sequence", "after", "conversation"]
NUMBERS = [0, 1, 2, 3, 7, -1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 10**400, 1.5, 1e308, -0.0]
TEXTS = [
    "hello",
    "",
    " \t\n",
    "\x00",
    "a\x00b",
    "\ud800",
    "x\udfffy",
    "e" + "\u0301" * 40,
    "\u202e\u2066\ufeff",
    "\U0010ffff\ufffe",
    "\u1100\u1161\u11a8" * 9,
    "'; DROP TABLE messaging_message; --",
    "%s %(x)s {0} {{7}} ${7}",
    "1",
    "007",
    "\u0661\u0662",
    "9" * 19,
    "9" * 20,
    "null",
    "true",
]
# Each beside another that is the same when it is stored, or nearly too much.
ALIKE = [
    *("one", " one\t", "caf\u00e9", "cafe\u0301", "a\r\nb", "a\nb", "a\rb", "bell", "be\x07ll"),
    *("x" * 4_000, " " + "x" * 4_000, "x" * 4_001, "e" + "\u0301" * 30, "e" + "\u0301" * 31),
]
PIECES = ["{", "}", "[", "]", '"', ":", ",", "\\", "\\u", "\\ud800", "null", "NaN", "1e999", "\x00"]
LONGEST = 64 * 1024


class FrameMaker:
    """The same frames for the same seed. `keys` are ids of messages, used again and again."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.conversation = ""
        self.keys = [str(UUID(int=self._random.getrandbits(128))) for _ in range(200)]

    def make(self) -> str | bytes:
        draw = self._random.random()
        if draw < 0.40:
            return self._render(self._grown())
        if draw < 0.80:
            return self._wound(self._render(self._valid()))
        if draw < 0.88:
            return self._render(self._valid())
        if draw < 0.95:
            return self._wound(self._render(self._grown()))
        if draw < 0.999:
            return self._monster()
        return self._random.randbytes(self._random.randrange(40))

    def make_message(self) -> str:
        """A message that may well be stored, under one of few ids."""
        frame = {
            "type": "chat_message",
            "message": self._random.choice([*TEXTS, *ALIKE, *ALIKE]),
            "client_message_id": self._write_key(self.keys[:8]),
            "conversation": self.conversation,
        }
        if self._random.random() < 0.1:
            del frame[self._random.choice(list(frame))]
        return json.dumps(frame)

    # --- Frames that are right, or nearly ---------------------------------------------------------

    def _valid(self) -> dict[str, Any]:
        kind = self._random.choice(TYPES)
        frame: dict[str, Any] = {"type": kind}
        if kind in ("chat_message", "edit"):
            frame["message"] = self._random.choice(["one", "two", "three", "caf\u00e9\n"])
        if kind == "chat_message":
            frame["client_message_id"] = self._write_key(self.keys)
        if kind in ("edit", "delete", "read"):
            frame["sequence"] = self._random.randrange(40)
        if kind == "resume":
            frame["after"] = self._random.randrange(100)
        if self._random.random() < 0.9:
            frame["conversation"] = self.conversation
        return frame

    def _write_key(self, keys: list[str]) -> str:
        """A UUID has more than one way to be written."""
        key = self._random.choice(keys)
        return self._random.choice([key, key, key.upper(), key.replace("-", "")])

    def _grown(self) -> dict[str, Any]:
        """A valid frame in which some fields are anything at all."""
        frame = self._valid()
        for _ in range(self._random.randint(1, 3)):
            frame[self._random.choice(FIELDS)] = self._value(0)
        if self._random.random() < 0.3:
            frame["type"] = self._random.choice(ODD_TYPES)
        if self._random.random() < 0.2:
            frame.pop(self._random.choice(list(frame)))
        return frame

    def _value(self, depth: int) -> Any:
        draw = self._random.random()
        if draw < 0.35:
            return self._random.choice(NUMBERS)
        if draw < 0.75:
            return self._random.choice([*TEXTS, self.conversation, self._random.choice(self.keys)])
        if draw < 0.88 or depth > 3:
            return self._random.choice([None, True, False, [], {}])
        inner = [self._value(depth + 1) for _ in range(self._random.randrange(4))]
        if draw < 0.94:
            return inner
        return {self._random.choice(FIELDS): value for value in inner}

    def _render(self, frame: dict[str, Any]) -> str:
        """JSON; now and then with a key twice."""
        text = json.dumps(frame, ensure_ascii=self._random.random() < 0.5 or _is_broken(frame))
        if self._random.random() < 0.05:
            name = json.dumps(self._random.choice(FIELDS))
            text = f"{text[:-1]},{name}:{json.dumps(self._value(0))}}}"
        return text

    # --- Frames that are wrong --------------------------------------------------------------------

    def _wound(self, text: str) -> str:
        for _ in range(self._random.randint(1, 4)):
            text = self._wound_once(text)
        return text[:LONGEST]

    def _wound_once(self, text: str) -> str:
        here, there = sorted(self._random.randrange(len(text) + 1) for _ in range(2))
        piece = self._random.choice([*PIECES, chr(self._random.randrange(0xD800))])
        return self._random.choice(
            [
                text[:here] + text[there:],
                text[:here] + piece + text[here:],
                text[:here] + piece + text[here + 1 :],
                text[:here] + text[here:there] * 2 + text[there:],
                text[:here] + text[here:there][::-1] + text[there:],
            ]
        )

    def _monster(self) -> str:
        """Deep, long, wide or numberless."""
        depth = self._random.choice([100, 900, 1_100, 20_000])
        size = self._random.choice([20, 4_001, 16_001, 30_000])
        typed = '{"type":"chat_message","message":'
        return self._random.choice(
            [
                "[" * depth,
                "[" * depth + "]" * depth,
                typed + "[" * depth + "]" * depth + "}",
                '{"a":' * (depth // 4) + "1" + "}" * (depth // 4),
                typed + json.dumps("e" + "\u0301" * size) + "}",
                typed + json.dumps("x" * size) + "}",
                typed + json.dumps("\u0301\u0316" * (size // 8), ensure_ascii=False) + "}",
                f'{{"type":"read","sequence":{"9" * size}}}',
                f'{{"type":"resume","after":1e{"9" * min(size, 4_001)}}}',
                "{" + ",".join(f'"k{number}":{number}' for number in range(size // 16)) + "}",
                "" if size == 20 else " " * size,
            ]
        )


def _is_broken(frame: Any) -> bool:
    """Whether a lone surrogate is in it: no network carries one unless it is escaped."""
    try:
        json.dumps(frame, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
