import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# What `listing_title__istartswith` asks for. Only PostgreSQL can serve it from an index.
TITLE_INDEX = (
    "CREATE INDEX conversation_title ON messaging_conversation"
    " (UPPER(listing_title::text) text_pattern_ops)"
)


def add_title_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(TITLE_INDEX)


def drop_title_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX conversation_title")


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="removed",
            field=models.BooleanField(
                default=False,
                help_text="Taken out by somebody else: does not come back by asking again.",
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=models.Index(
                condition=models.Q(("state", "closed")),
                fields=["id"],
                name="conversation_closed",
            ),
        ),
        migrations.RunPython(add_title_index, drop_title_index),
        migrations.CreateModel(
            name="ConversationLook",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("first_sequence", models.PositiveBigIntegerField()),
                ("last_sequence", models.PositiveBigIntegerField()),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="looks",
                        to="messaging.conversation",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "look into a conversation",
                "verbose_name_plural": "looks into conversations",
            },
        ),
    ]
