from django.db import migrations, models


class Migration(migrations.Migration):
    """The column alone, so that what follows can be ended in the middle and repeated."""

    dependencies = [("messaging", "0005_search")]

    operations = [
        # With a default in the database: processes of the release before go on writing meanwhile.
        migrations.AddField(
            model_name="conversation",
            name="names",
            field=models.TextField(blank=True, db_default="", default=""),
        ),
    ]
