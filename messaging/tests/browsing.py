"""Asking for pages and for JSON in tests, and reading what came."""

import re
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from messaging.models import Conversation

JSON = "application/json"
# The fields that say which message is stored.
RECEIPT = {"conversation", "client_message_id", "id", "sequence", "revision", "created_at"} | {
    "duplicate"
}


def url(conversation: Conversation, tail: str = "") -> str:
    """`/conversation/<id>/` and what comes after it."""
    return f"/conversation/{conversation.pk}/{tail}"


def get_json(client: Client, path: str, **query: Any) -> Any:
    return client.get(path, query, headers={"Accept": JSON})


def post_json(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body, content_type=JSON, headers={"Accept": JSON})


def shown_sequences(response: Any) -> list[int]:
    """Of the messages on a thread's page, from top to bottom."""
    return [int(found) for found in re.findall(r'id="message-(\d+)"', response.content.decode())]


def shown_conversations(response: Any) -> list[str]:
    """The ids of the rows of an inbox's page, from top to bottom."""
    return re.findall(r'<li id="conversation-([0-9a-f-]{36})"', response.content.decode())


class Page(HTMLParser):
    """The elements of a page and what stands in its text fields, as a browser reads them."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.text_fields: dict[str, str] = {}
        self._text_field = ""
        self.feed(response.content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "textarea":
            self._text_field = attributes.get("name") or ""
            self.text_fields[self._text_field] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text_field = ""

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._text_field:
            self.text_fields[self._text_field] += data

    def hidden(self, name: str) -> str:
        """The value of the first hidden field of a name."""
        return next(
            attributes.get("value") or ""
            for tag, attributes in self.elements
            if tag == "input" and attributes.get("name") == name
        )

    @property
    def dangers(self) -> list[str]:
        """What runs: scripts without a file, handlers in attributes, addresses that are code."""
        found = [tag for tag, attributes in self.elements if tag == "script" and not attributes]
        for tag, attributes in self.elements:
            found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
            found += [
                f"{tag} {name}={value}"
                for name, value in attributes.items()
                if name in ("href", "src", "action") and (value or "").startswith("javascript:")
            ]
        return found
