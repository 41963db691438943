from django.db import DatabaseError, migrations

# What `icontains` asks for. Only PostgreSQL can serve it from an index, and only with pg_trgm, which
# comes with it and which whoever owns a database may add to it (since PostgreSQL 13).
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
INDEXES = {
    "message_words": "messaging_message USING gin (UPPER(body) gin_trgm_ops)",
    "conversation_words": (
        "messaging_conversation USING gin (UPPER(listing_title::text) gin_trgm_ops)"
    ),
    "participant_words": "messaging_participant USING gin (UPPER(name::text) gin_trgm_ops)",
}


def add_indexes(apps, schema_editor):
    """Beside writing. Waits for whoever reads at length; nobody waits for it in turn."""
    if schema_editor.connection.vendor != "postgresql" or not has_trigrams(schema_editor):
        return
    schema_editor.execute("SET lock_timeout = 0")
    drop_indexes(apps, schema_editor)
    for name, what in INDEXES.items():
        schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {what}")
    schema_editor.execute("RESET lock_timeout")


def has_trigrams(schema_editor):
    """Without them everything works and long searches take longer: `messaging_doctor` says so."""
    try:
        schema_editor.execute(EXTENSION)
    except DatabaseError:
        return False
    return True


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class Migration(migrations.Migration):
    # What is made beside writing cannot be in a transaction. It can be repeated.
    atomic = False

    dependencies = [("messaging", "0004_indexes_beside_writing")]

    operations = [migrations.RunPython(add_indexes, drop_indexes)]
