"""The time zones a person may choose."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

AREAS = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/",
    "Europe/", "Indian/", "Pacific/",
)  # fmt: skip


@cache
def list_time_zones() -> list[str]:
    """Names like “Europe/Madrid”, sorted; without the historic aliases outside the areas."""
    return sorted(name for name in available_timezones() if name.startswith(AREAS))


def find_time_zone(name: str) -> ZoneInfo | None:
    """The zone of that name, None if it is not one of the list."""
    return ZoneInfo(name) if name in list_time_zones() else None
