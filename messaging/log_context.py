"""What every line of the log is told of: the request or the connection that it belongs to.

Context variables: they follow a request into its threads, and a host's log formatter reads them.
"""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
connection_id: ContextVar[str] = ContextVar("connection_id", default="")
