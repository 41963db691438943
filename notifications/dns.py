"""One question to the system's name server: the TXT records of a name. Standard library only."""

import ipaddress
import random
import socket
import struct
from pathlib import Path

RESOLVER = Path("/etc/resolv.conf")
PORT = 53
DEADLINE_SECONDS = 2.0
TXT = 16
CLASS_IN = 1
RECURSION_DESIRED = 0x0100
TRUNCATED = 0x0200
# EDNS(0): an answer of up to 1232 bytes, in which long keys fit.
OPTIONS = struct.pack(">BHHIH", 0, 41, 1232, 0, 0)
NO_SUCH_NAME = 3
LARGEST_ANSWER = 4096


class NoSuchName(Exception):
    """The name server knows nothing of this name."""


class NotKnown(Exception):
    """There is no name server, or it gave no answer that can be used."""


def find_texts(name: str) -> list[str]:
    """The TXT records of a name. Raises NoSuchName, or NotKnown."""
    try:
        server = _find_server()
        question = _write_question(name)
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as connection:
            connection.settimeout(DEADLINE_SECONDS)
            connection.connect((server, PORT))
            connection.send(question)
            return _read_answer(question, connection.recv(LARGEST_ANSWER))
    except (OSError, UnicodeError, struct.error, IndexError) as error:
        raise NotKnown from error


def _find_server() -> str:
    for line in RESOLVER.read_text().splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            return str(ipaddress.ip_address(words[1].partition("%")[0]))
    raise NotKnown


def _write_question(name: str) -> bytes:
    header = struct.pack(">6H", random.getrandbits(16), RECURSION_DESIRED, 1, 0, 0, 1)
    labels = b"".join(
        bytes([len(label)]) + label for label in name.encode("idna").strip(b".").split(b".")
    )
    return header + labels + b"\0" + struct.pack(">HH", TXT, CLASS_IN) + OPTIONS


def _read_answer(question: bytes, answer: bytes) -> list[str]:
    identifier, flags, _questions, count = struct.unpack(">4H", answer[:8])
    if identifier != struct.unpack(">H", question[:2])[0]:
        raise NotKnown
    code = flags & 0xF
    if code == NO_SUCH_NAME:
        raise NoSuchName
    if code or flags & TRUNCATED:
        raise NotKnown
    texts = []
    place = _skip_name(answer, 12) + 4
    for _record in range(count):
        place = _skip_name(answer, place)
        kind, _class, _seconds, length = struct.unpack(">HHIH", answer[place : place + 10])
        place += 10
        if kind == TXT:
            texts.append(_read_strings(answer[place : place + length]))
        place += length
    return texts


def _skip_name(answer: bytes, place: int) -> int:
    while length := answer[place]:
        if length >= 0xC0:  # A pointer to a name further up.
            return place + 2
        place += length + 1
    return place + 1


def _read_strings(data: bytes) -> str:
    """A record is a row of strings, each with its length before it."""
    parts = []
    while data:
        parts.append(data[1 : data[0] + 1])
        data = data[data[0] + 1 :]
    return b"".join(parts).decode(errors="replace")
