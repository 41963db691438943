"""What a process would write into its log."""

import json
import logging
from typing import Any


class Lines(logging.Handler):
    """A handler that keeps its lines."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))

    def found(self, message: str) -> list[dict[str, Any]]:
        """The lines that say this."""
        return [line for line in map(json.loads, self.lines) if line["message"] == message]

    @property
    def last(self) -> dict[str, Any]:
        fields: dict[str, Any] = json.loads(self.lines[-1])
        return fields
