"""What Celery's beat does about people's data. `celery_app.py` adds it to the schedule."""

from typing import Any

from celery.schedules import crontab

SWEEP_SECONDS = 10
BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "find-privacy-work": {
        "task": "privacy.find_work",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": 2 * SWEEP_SECONDS},
    },
    "apply-retention": {
        "task": "privacy.apply_retention",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 3600},
    },
}
