from django.db import DatabaseError, migrations

# What `icontains` asks for. Only PostgreSQL can serve it from an index, and only with pg_trgm, which
# comes with it and which whoever owns a database may add to it (since PostgreSQL 13). Names have
# none: it would be written with every message, for everybody who takes part.
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
# It may be in a schema that nobody looks into otherwise.
OPERATORS = """
SELECT quote_ident(n.nspname) || '.gin_trgm_ops' FROM pg_opclass c
JOIN pg_namespace n ON n.oid = c.opcnamespace WHERE c.opcname = 'gin_trgm_ops'
"""
INDEXES = {
    "message_words": "messaging_message USING gin (UPPER(body) {operators})",
    "conversation_words": "messaging_conversation USING gin (UPPER(listing_title::text) {operators})",
}
# It may not be added, it is not there, this PostgreSQL has nothing of the kind.
REFUSED = ("42501", "58P01", "0A000")


def add_indexes(apps, schema_editor):
    """Beside writing. Waits for whoever reads at length; nobody waits for it in turn."""
    operators = find_operators(schema_editor)
    if operators is None:
        return
    drop_indexes(apps, schema_editor)
    schema_editor.execute("SET lock_timeout = 0")
    for name, what in INDEXES.items():
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON {what.format(operators=operators)}"
        )
    schema_editor.execute("RESET lock_timeout")


def find_operators(schema_editor):
    """None without them: everything works, and searches read: `messaging_doctor` says so."""
    if schema_editor.connection.vendor != "postgresql":
        return None
    try:
        schema_editor.execute(EXTENSION)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", None) not in REFUSED:
            raise
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OPERATORS)
        row = cursor.fetchone()
    return row[0] if row else None


def drop_indexes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SET lock_timeout = 0")
        for name in INDEXES:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        schema_editor.execute("RESET lock_timeout")


class Migration(migrations.Migration):
    # What is made beside writing cannot be in a transaction. It can be repeated.
    atomic = False

    dependencies = [("messaging", "0004_indexes_beside_writing")]

    operations = [migrations.RunPython(add_indexes, drop_indexes)]
