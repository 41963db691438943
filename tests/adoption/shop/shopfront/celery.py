import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shopfront.settings")
app = Celery("shopfront")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
