"""For processes under libfaketime, on their PYTHONPATH: lets them sleep.

libfaketime 0.9.10 takes what `time.sleep` asks the kernel for as a moment of the clock that it
changes, and the kernel refuses what comes out. `select` waits as well, and is left alone.
"""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex, /) -> None:
    lasting = seconds if isinstance(seconds, float) else seconds.__index__()
    if lasting < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], lasting)


time.sleep = sleep
