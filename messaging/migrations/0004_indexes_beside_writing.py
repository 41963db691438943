from django.db import migrations, models

# What `listing_title__istartswith` asks for. Only PostgreSQL can serve it from an index.
TITLE = "conversation_title"
TITLE_INDEX = (
    f"CREATE INDEX CONCURRENTLY {TITLE} ON messaging_conversation"
    " (UPPER(listing_title::text) text_pattern_ops)"
)


def is_postgresql(schema_editor):
    return schema_editor.connection.vendor == "postgresql"


def begin(apps, schema_editor):
    """Waits for whoever reads at length, a backup say. Nobody waits for it in turn."""
    if is_postgresql(schema_editor):
        schema_editor.execute("SET lock_timeout = 0")


def end(apps, schema_editor):
    if is_postgresql(schema_editor):
        schema_editor.execute("RESET lock_timeout")


def add_title_index(apps, schema_editor):
    if is_postgresql(schema_editor):
        drop_remains(schema_editor, TITLE)
        schema_editor.execute(TITLE_INDEX)


def drop_title_index(apps, schema_editor):
    if is_postgresql(schema_editor):
        drop_remains(schema_editor, TITLE)


def drop_remains(schema_editor, name):
    """Of a try that was ended in the middle: PostgreSQL keeps such an index and does not use it."""
    beside = "CONCURRENTLY " if is_postgresql(schema_editor) else ""
    schema_editor.execute(f"DROP INDEX {beside}IF EXISTS {schema_editor.quote_name(name)}")


class AddIndexBesideWriting(migrations.AddIndex):
    """Messages are stored while it is made, where the database can do that."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        drop_remains(schema_editor, self.index.name)
        beside = {"concurrently": True} if is_postgresql(schema_editor) else {}
        schema_editor.add_index(model, self.index, **beside)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if self.allow_migrate_model(
            schema_editor.connection.alias, from_state.apps.get_model(app_label, self.model_name)
        ):
            drop_remains(schema_editor, self.index.name)


class Migration(migrations.Migration):
    # What is made beside writing cannot be in a transaction. Each step can be repeated.
    atomic = False

    dependencies = [("messaging", "0003_participant_changes")]

    operations = [
        migrations.RunPython(begin, end),
        AddIndexBesideWriting(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("state", "closed")),
                fields=["id"],
                name="conversation_closed",
            ),
        ),
        migrations.RunPython(add_title_index, drop_title_index),
        migrations.RunPython(end, begin),
    ]
