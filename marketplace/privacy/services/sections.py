"""What an export consists of: the account from here, the rest from the apps that keep it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from marketplace.listings import export as listings
from marketplace.privacy.services.account import export_account
from messaging.services import export as messaging
from notifications.services import export as notifications

Record = dict[str, Any]


def read_sections(*, user: Any) -> Mapping[str, Iterable[Record]]:
    """Records by the name of their file. Nothing is read before they are iterated."""
    return {
        "account": [export_account(user=user)],
        "listings": listings.export_person(user=user),
        **messaging.export_person(user=user),
        **notifications.export_person(user=user),
    }


def count_records(*, user: Any) -> int:
    """About how many records there will be."""
    counts = (listings.count_records, messaging.count_records, notifications.count_records)
    return 1 + sum(count(user=user) for count in counts)


def photo_files(*, user: Any) -> Iterator[str]:
    return listings.photo_files(user=user)
