from importlib import import_module
from uuid import UUID

from django.db import migrations, models, transaction
from django.db.models import OuterRef, Value
from django.db.models.functions import Coalesce

beside_writing = import_module("messaging.migrations.0004_indexes_beside_writing")
search = import_module("messaging.migrations.0005_search")

# Rows that are locked together: a message waits for them for some milliseconds at most.
BATCH = 500
NAMES = "conversation_names"
INDEXES = {
    # Those of 0005 again, where what they need could not be had then.
    **search.INDEXES,
    NAMES: "messaging_conversation USING gin (UPPER(names) {operators})",
}
WHOLE = "SELECT 1 FROM pg_index WHERE indisvalid AND indexrelid = to_regclass(%s)"


class Lines(models.Aggregate):
    template = "string_agg(%(expressions)s || chr(10), '')"
    output_field = models.TextField()

    def as_sqlite(self, compiler, connection, **context):
        template = "group_concat(%(expressions)s || char(10), '')"
        return self.as_sql(compiler, connection, template=template, **context)


def write_names(apps, schema_editor):
    """Of conversations that have none yet: the others' were written before this was ended in the
    middle, or by processes of this release."""
    places = apps.get_model("messaging", "Participant").objects.using(
        schema_editor.connection.alias
    )
    lines = places.filter(conversation=OuterRef("pk")).order_by().values("conversation")
    names = Coalesce(lines.values_list(Lines("name")), Value("\n"))
    change_all(apps, schema_editor, lambda old: not old, names)


def forget_names(apps, schema_editor):
    """So that going back and forth writes all of them anew."""
    change_all(apps, schema_editor, bool, "")


def change_all(apps, schema_editor, wanted, names):
    """While others write."""
    conversations = apps.get_model("messaging", "Conversation").objects
    last = UUID(int=0)
    while last:
        last = change_some(conversations.using(schema_editor.connection.alias), wanted, names, last)


def change_some(conversations, wanted, names, after):
    """From one id on; gives the last one. Locked by id, as everywhere, and read after that: what
    others have written meanwhile is in it."""
    with transaction.atomic(conversations.db):
        rows = conversations.select_for_update(no_key=True).filter(pk__gt=after).order_by("pk")
        found = list(rows.values_list("pk", "names")[:BATCH])
        keys = [key for key, old in found if wanted(old)]
        conversations.filter(pk__in=keys).update(names=names)
    return found[-1][0] if found else None


def add_indexes(apps, schema_editor):
    operators = search.find_operators(schema_editor)
    if operators is None:
        return
    for name, what in INDEXES.items():
        if not is_whole(schema_editor, name):
            beside_writing.drop_remains(schema_editor, name)
            schema_editor.execute(
                f"CREATE INDEX CONCURRENTLY {name} ON {what.format(operators=operators)}"
            )
    # Until the planner knows what is in an index it reads all places instead.
    schema_editor.execute("ANALYZE messaging_conversation")


def is_whole(schema_editor, name):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(WHOLE, [name])
        return cursor.fetchone() is not None


def drop_index(apps, schema_editor):
    if beside_writing.is_postgresql(schema_editor):
        beside_writing.drop_remains(schema_editor, NAMES)


class Migration(migrations.Migration):
    # What is made beside writing cannot be in a transaction. Each step can be repeated.
    atomic = False

    dependencies = [("messaging", "0006_names")]

    operations = [
        migrations.RunPython(write_names, forget_names),
        migrations.RunPython(beside_writing.begin, beside_writing.end),
        beside_writing.AddIndexBesideWriting(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("names", "")), fields=["id"], name="conversation_unnamed"
            ),
        ),
        migrations.RunPython(add_indexes, drop_index),
        migrations.RunPython(beside_writing.end, beside_writing.begin),
    ]
