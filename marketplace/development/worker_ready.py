"""Tells `bin/dev` that the Celery worker takes tasks. Only the worker of `bin/dev` loads this."""

import os
from pathlib import Path
from typing import Any

from celery.signals import worker_ready


@worker_ready.connect
def write_ready_file(**_: Any) -> None:
    Path(os.environ["WORKER_READY_FILE"]).write_text(str(os.getpid()))
