"""What became of one attempt: done, certainly not done, or nobody knows."""

from dataclasses import dataclass, field
from typing import Any, Literal

# Codes after which the same thing may yet have been stored: protocol.md says to send it again.
UNKNOWN_CODES = ("unavailable",)
# What is worth another try with the same id once the reason is gone.
PASSING_CODES = ("unreachable", "closed", "unauthenticated", "rate_limited")


@dataclass(frozen=True)
class Answer:
    """`code` says why it failed or why nobody knows; empty when it is done."""

    state: Literal["ok", "fail", "unknown"]
    code: str = ""
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.state == "ok"

    @property
    def try_again(self) -> bool:
        """Whether a client keeps it and sends it again with the same id."""
        return self.state == "unknown" or (self.state == "fail" and self.code in PASSING_CODES)

    @property
    def reason(self) -> dict[str, str]:
        """As the history has it."""
        return {"why": self.code} if self.state == "unknown" else {"code": self.code}


def refused(code: str) -> Answer:
    return Answer("unknown" if code in UNKNOWN_CODES else "fail", code)


def unknown(why: str) -> Answer:
    return Answer("unknown", why)


UNREACHABLE = Answer("fail", "unreachable")
CLOSED = Answer("fail", "closed")  # By oneself, or known to be so: nothing left.
