"""What rows and threads show of a listing and of the other person."""

from dataclasses import dataclass
from typing import Any

from messaging.models import Conversation, Participant


@dataclass(frozen=True, slots=True)
class ListingCard:
    title: str
    url: str
    thumbnail: str
    price: str
    state: str
    state_label: str

    def as_dict(self) -> dict[str, str]:
        return {
            "title": self.title,
            "url": self.url,
            "thumbnail": self.thumbnail,
            "price": self.price,
            "state": self.state,
        }


def shown_title(conversation: Conversation, listing: Any | None) -> str:
    """Of the listing as it is now; of one that is gone, the title it had."""
    return conversation.listing_title if listing is None else str(listing.title)


def listing_card(conversation: Conversation, listing: Any | None) -> ListingCard:
    """The listing as it is now; of one that is gone, the title it had."""
    title = shown_title(conversation, listing)
    if listing is None:
        return ListingCard(title, "", "", "", "", "")
    return ListingCard(
        title=title,
        url=listing.get_absolute_url(),
        thumbnail=getattr(listing, "thumbnail_url", ""),
        price=getattr(listing, "price_label", ""),
        state=getattr(listing, "state", ""),
        state_label=getattr(listing, "state_label", ""),
    )


def other_side(me: Participant, members: list[Participant]) -> Participant | None:
    """The first participant of the opposite role who still takes part and has an account; of
    several who do not, one who has not left."""
    opposite = [member for member in members if member.role != me.role]
    return min(opposite, key=_how_far_away, default=None)


def _how_far_away(member: Participant) -> tuple[bool, bool]:
    return member.has_left, member.user_id is None
