"""The marketplace's worker and beat with a bug in them."""

import django

from celery_app import app

django.setup()

from tests.faults.planted import plant_chosen  # noqa: E402

plant_chosen()

__all__ = ["app"]
