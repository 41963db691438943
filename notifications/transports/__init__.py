"""How a notification leaves the house. One module per channel."""


class TransportError(Exception):
    """The other end refused. `permanent`: it will refuse again, however often it is asked."""

    def __init__(self, *, permanent: bool) -> None:
        super().__init__("permanent" if permanent else "temporary")
        self.permanent = permanent
