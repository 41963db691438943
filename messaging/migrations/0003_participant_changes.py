from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_participants_and_looks")]

    operations = [
        # With a default in the database: processes of the release before go on writing meanwhile.
        migrations.AddField(
            model_name="participant",
            name="changes",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                help_text="Goes up with whatever changes in this line of the inbox.",
            ),
        ),
    ]
