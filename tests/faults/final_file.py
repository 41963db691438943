"""A final state as a file, so that a run can be judged once more: `final.json` of its folder."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from tests.faults.final_state import (
    Conversation,
    Delivery,
    FinalState,
    Mail,
    Notification,
    Photo,
    Place,
    Refusal,
    StoredMessage,
)
from tests.faults.servers.quiet import PutOff

NAME = "final.json"


def save_final(final: FinalState, folder: Path) -> Path:
    told = dataclasses.asdict(final)
    told["blocks"] = sorted(final.blocks)
    path = folder / NAME
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def load_final(folder: Path) -> FinalState:
    told: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    told["conversations"] = {
        key: _read_conversation(row) for key, row in told["conversations"].items()
    }
    told["people"] = {int(person): address for person, address in told["people"].items()}
    told["blocks"] = {(blocker, blocked) for blocker, blocked in told["blocks"]}
    told["notifications"] = [_read_notification(row) for row in told["notifications"]]
    told["mails"] = [Mail(**row) for row in told["mails"]]
    told["photos"] = [Photo(**row) for row in told["photos"]]
    if told.get("put_off") is not None:
        told["put_off"] = [PutOff(**row) for row in told["put_off"]]
    if told["refusals"] is not None:
        told["refusals"] = [Refusal(**row) for row in told["refusals"]]
    return FinalState(**told)


def _read_conversation(row: dict[str, Any]) -> Conversation:
    places = {int(person): Place(**place) for person, place in row.pop("places").items()}
    messages = [StoredMessage(**message) for message in row.pop("messages")]
    return Conversation(**row, places=places, messages=messages)


def _read_notification(row: dict[str, Any]) -> Notification:
    deliveries = [Delivery(**delivery) for delivery in row.pop("deliveries")]
    return Notification(**row, deliveries=deliveries)
