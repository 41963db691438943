"""Whether mails can be told from forged ones, asked of a name server of our own."""

import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from notifications import dns, doctor_mail
from notifications.findings import UNKNOWN

RECORDS = {
    "market.net": ["google-site=1", "v=spf1 include:_spf.mail.net -all"],
    "_dmarc.market.net": ["v=DMARC1; p=none"],
    "post._domainkey.market.net": ["v=DKIM1; k=rsa; p=" + "A" * 400],
    "bare.net": [],
    "twice.net": ["v=spf1 -all", "v=spf1 ~all"],
}


class NameServer:
    """Answers as it is told, in one datagram each."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = int(self.socket.getsockname()[1])
        self.flags = 0x8180
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                question, address = self.socket.recvfrom(2000)
            except OSError:
                return
            self.socket.sendto(self.answer(question), address)

    def answer(self, question: bytes) -> bytes:
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1 : place + 1 + length].decode())
            place += length + 1
        found = RECORDS.get(".".join(labels), [])
        known = ".".join(labels) in RECORDS
        flags = self.flags if known or self.flags & 0x20F else 0x8183
        header = question[:2] + struct.pack(">5H", flags, 1, len(found), 0, 0)
        return header + question[12 : place + 5] + b"".join(map(record, found))


def record(text: str) -> bytes:
    parts = [text[start : start + 255].encode() for start in range(0, len(text), 255)]
    data = b"".join(bytes([len(part)]) + part for part in parts)
    return b"\xc0\x0c" + struct.pack(">HHIH", 16, 1, 60, len(data)) + data


@pytest.fixture
def name_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[NameServer]:
    server = NameServer()
    resolver = tmp_path / "resolv.conf"
    resolver.write_text("search here\nnameserver 127.0.0.1\n")
    monkeypatch.setattr(dns, "RESOLVER", resolver)
    monkeypatch.setattr(dns, "PORT", server.port)
    yield server
    server.socket.close()


def test_all_of_a_domains_texts_are_read(name_server: NameServer) -> None:
    assert dns.find_texts("market.net") == RECORDS["market.net"]
    assert dns.find_texts("post._domainkey.market.net") == RECORDS["post._domainkey.market.net"]
    assert dns.find_texts("bare.net") == []
    with pytest.raises(dns.NoSuchName):
        dns.find_texts("nobody.net")


@pytest.mark.parametrize("flags", [0x8182, 0x8380], ids=["server failure", "cut off"])
def test_an_answer_that_is_none_is_not_known(name_server: NameServer, flags: int) -> None:
    name_server.flags = flags
    with pytest.raises(dns.NotKnown):
        dns.find_texts("market.net")


def test_without_a_name_server_nothing_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    monkeypatch.setattr(dns, "RESOLVER", tmp_path / "missing")
    settings.DEFAULT_FROM_EMAIL = "post@market.net"
    (finding,) = doctor_mail.ask_records()
    assert finding.level == UNKNOWN
    assert "is not known: no name server answered" in finding.msg


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    name_server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns, "DEADLINE_SECONDS", 0.1)
    monkeypatch.setattr(name_server, "answer", lambda question: b"")
    with pytest.raises(dns.NotKnown):
        dns.find_texts("market.net")


def sentences(settings: Settings, sender: str) -> str:
    settings.DEFAULT_FROM_EMAIL = sender
    return "\n".join(finding.msg for finding in doctor_mail.ask_records())


def test_a_domain_with_everything(name_server: NameServer, settings: Settings) -> None:
    settings.NOTIFICATIONS_DKIM_SELECTOR = "post"
    said = sentences(settings, "Trato <post@market.net>")
    assert said.splitlines() == [
        "market.net has an SPF record.",
        "market.net has a DMARC record.",
        "There is a DKIM key at post._domainkey.market.net.",
    ]


def test_a_domain_with_nothing(name_server: NameServer, settings: Settings) -> None:
    said = sentences(settings, "post@bare.net")
    assert "bare.net has no SPF record" in said
    assert "bare.net has no DMARC record" in said
    assert "Whether mails are signed (DKIM) is not known" in said


def test_a_domain_that_is_not_there(name_server: NameServer, settings: Settings) -> None:
    said = sentences(settings, "post@nobody.net")
    assert said == "The name server of this machine does not know nobody.net."


def test_two_records_are_none(name_server: NameServer, settings: Settings) -> None:
    assert "several SPF records" in sentences(settings, "post@twice.net")


def test_a_key_that_is_not_there(name_server: NameServer, settings: Settings) -> None:
    settings.NOTIFICATIONS_DKIM_SELECTOR = "other"
    assert "no DKIM key at other._domainkey.market.net" in sentences(settings, "post@market.net")


def test_a_domain_that_nobody_has(settings: Settings) -> None:
    assert "which nobody can answer" in sentences(settings, "trato@localhost.example")


def test_mails_that_do_not_leave(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    (finding,) = doctor_mail.ask_server()
    assert finding.level == UNKNOWN
