"""Sets of values as PostgreSQL reads an array. psycopg's own way asks of each value anew what it is
and how it is written, which takes longer than storing it."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from uuid import UUID


def numbers(values: Iterable[int | None]) -> str:
    return _array("NULL" if value is None else str(value) for value in values)


def identifiers(values: Iterable[UUID | None]) -> str:
    return _array("NULL" if value is None else value.hex for value in values)


def flags(values: Iterable[bool]) -> str:
    return _array("t" if value else "f" for value in values)


def moments(values: Iterable[datetime | None]) -> str:
    return _array("NULL" if value is None else _moment(value) for value in values)


def texts(values: Iterable[str]) -> str:
    return _array(_quoted(value) for value in values)


def _array(elements: Iterable[str]) -> str:
    return f"{{{','.join(elements)}}}"


@lru_cache(maxsize=1024)
def _moment(value: datetime) -> str:
    return value.isoformat()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
