"""Files follow their rows.

A receiver, because photos also go when the admin deletes their listing or the seller of it: the
database cascades there and no service is asked.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from marketplace.listings.models import Photo


@receiver(post_delete, sender=Photo)
def delete_files_of_photo(*, instance: Photo, using: str, **kwargs: Any) -> None:
    names = [file.name for file in (instance.large, instance.small) if file.name]
    # Only what is really gone from the database may go from the disk, and a disk that refuses
    # undoes nothing of that.
    transaction.on_commit(partial(delete_files, names), using=using, robust=True)


def delete_files(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)
