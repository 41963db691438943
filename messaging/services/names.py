"""The names that searches find conversations by. They are in the participants' rows, too, but those
are written with every message: an index over them would be written as often."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Aggregate, OuterRef, TextField, Value
from django.db.models.functions import Coalesce

from messaging.models import Conversation, Participant


class Lines(Aggregate):
    """Each value with a line's end: even nobody's name, which is empty, leaves something."""

    template = "string_agg(%(expressions)s || chr(10), '')"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "group_concat(%(expressions)s || char(10), '')"
        return self.as_sql(compiler, connection, template=template, **context)


def as_lines(names: Iterable[str]) -> str:
    """The same, for a conversation that is being made."""
    return "".join(f"{name}\n" for name in names)


def write_names(conversation_ids: Iterable[UUID]) -> None:
    """Once participants have come or are called otherwise. With the conversations locked."""
    places = Participant.objects.filter(conversation=OuterRef("pk")).order_by()
    lines = places.values("conversation").values_list(Lines("name"))
    Conversation.objects.filter(pk__in=list(conversation_ids)).update(
        names=Coalesce(lines, Value("\n"))
    )
