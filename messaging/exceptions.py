"""Everything that this app refuses, as one tree: a code for machines, a sentence for people."""

from typing import Any

from django.utils.translation import gettext_lazy as _


class MessagingError(Exception):
    """Base of all refusals. `extra` are further fields of the answer."""

    code = "invalid"
    status = 400
    sentence: Any = _("This could not be understood.")

    def __init__(self, sentence: Any = None, **extra: Any) -> None:
        super().__init__(self.code)
        self.sentence = sentence or self.sentence
        self.extra = extra

    def as_dict(self) -> dict[str, Any]:
        return {"code": self.code, "detail": str(self.sentence), **self.extra}


class InvalidJson(MessagingError):
    code = "invalid_json"
    sentence = _("This is not JSON.")


class Invalid(MessagingError):
    code = "invalid"


class UnknownType(MessagingError):
    code = "unknown_type"
    sentence = _("This type of frame is not known.")


class Empty(MessagingError):
    code = "empty"
    sentence = _("Write something first.")


class TooLong(MessagingError):
    code = "too_long"
    sentence = _("This message is too long. Please send it in parts.")


class Unauthenticated(MessagingError):
    code = "unauthenticated"
    status = 401
    sentence = _("Please sign in again.")


class Forbidden(MessagingError):
    code = "forbidden"
    status = 403
    sentence = _("You cannot write here.")


class NotFound(MessagingError):
    code = "not_found"
    status = 404
    sentence = _("There is nothing here.")


class Conflict(MessagingError):
    code = "conflict"
    status = 409
    sentence = _("This was already sent with other words. Send it again to add these.")


class RateLimited(MessagingError):
    """`retry_after`: whole seconds until it makes sense to try again."""

    code = "rate_limited"
    status = 429
    sentence = _("That was a lot at once. Please wait a moment and send it again.")

    def __init__(self, sentence: Any = None, *, retry_after: int) -> None:
        super().__init__(sentence, retry_after=retry_after)


class Unavailable(MessagingError):
    code = "unavailable"
    status = 503
    sentence = _("This could not be stored just now. Please send it again.")
