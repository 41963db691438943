"""Who talks with whom in a campaign: drawn from the seed, before anything runs."""

from collections.abc import Sequence
from random import Random
from typing import Protocol

from tests.faults.clients.passing import pair_up
from tests.faults.clients.people import Conversation, Person, SignIn
from tests.faults.clients.scene import Scene

CONVERSATIONS = 200
HOT_CONVERSATIONS = 5
TABS_IN_A_HOT_ONE = 8
TABS_OF_A_PERSON = 2
# Of every so many people one has no socket at all and is told by mail, one looks at the list.
CALLER_EVERY = 6
INBOX_EVERY = 4


class CastPerson(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...


class CastListing(Protocol):
    @property
    def slug(self) -> str: ...
    @property
    def seller(self) -> int: ...


def meet_people(scene: Scene, cast: Sequence[CastPerson], sign_in: SignIn) -> None:
    scene.people = [
        Person(each.id, each.email, each.name, sign_in, Random(f"{scene.seed} {each.id}"))
        for each in cast
    ]


def plan_conversations(
    scene: Scene,
    listings: Sequence[CastListing],
    *,
    count: int = CONVERSATIONS,
    passing_through: int = 0,
) -> list[Conversation]:
    """Each of another buyer or about another listing; the hot ones are of ten different people.
    Everybody takes part in some. The last of the people, so many as are `passing_through`, talk in
    pairs and with nobody else."""
    random = Random(f"{scene.seed} world")
    by_id = {person.id: person for person in scene.people}
    offered = [(each.slug, by_id[each.seller]) for each in listings]
    people = scene.people[: len(scene.people) - passing_through]
    apart = pair_up(scene.people[len(people) :])
    scene.listings = [(slug, seller) for slug, seller in offered if seller in people]
    pairs = [
        (slug, buyer, seller)
        for slug, seller in scene.listings
        for buyer in people
        if buyer is not seller
    ]
    random.shuffle(pairs)
    planned: list[Conversation] = []
    lonely, busy = set(people), set[Person]()
    for slug, buyer, seller in pairs:
        hot = len(busy) < 2 * HOT_CONVERSATIONS and not {buyer, seller} & busy
        if hot or lonely & {buyer, seller} or len(planned) + len(lonely) < count:
            planned.append(Conversation(slug, buyer, seller, is_hot=hot))
            lonely -= {buyer, seller}
            busy |= {buyer, seller} if hot else set()
        if len(planned) >= count and not lonely:
            break
    of_seller = {seller: slug for slug, seller in offered}
    planned += [Conversation(of_seller[seller], buyer, seller) for seller, buyer in apart]
    return planned


def is_caller(position: int) -> bool:
    """By the person's place in the cast."""
    return position % CALLER_EVERY == CALLER_EVERY - 1


def has_inbox(position: int) -> bool:
    return position % INBOX_EVERY == 0
