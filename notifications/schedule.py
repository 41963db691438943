"""What Celery's beat must start, for the schedule of whatever application runs it:

    CELERY_BEAT_SCHEDULE = {**BEAT_SCHEDULE, …}

Asks for no settings, so that settings can import it.
"""

from typing import Any

SWEEP_SECONDS = 5
SWEEP = "notifications.tasks.create_notifications"

BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "create-notifications": {
        "task": SWEEP,
        "schedule": SWEEP_SECONDS,
        # A worker that was away finds one wake-up to follow, not an hour of them.
        "options": {"expires": 2 * SWEEP_SECONDS},
    },
}
