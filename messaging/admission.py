"""Whether this process takes one more socket, and what it is told otherwise."""

from messaging import conf, runtime
from messaging.close_codes import CloseCode
from messaging.heartbeat import current_heartbeat


class Admission:
    """Of one event loop."""

    def __init__(self) -> None:
        self.is_ending = False  # The process drains: whoever knocked before is sent elsewhere.

    def find_refusal(self) -> CloseCode | None:
        if self.is_ending:
            return CloseCode.RESTART
        if current_heartbeat().count >= conf.most_connections():
            return CloseCode.TRY_LATER
        return None


_admissions: runtime.LoopLocal[Admission] = runtime.LoopLocal(Admission)


def current_admission() -> Admission:
    return _admissions.get()
