"""Asks the web process of this machine how it is: `python -m marketplace.ask_health live|ready`.

For containers, which have no curl. Exit status 0 when the answer is 200, else 1. The process is
asked by the marketplace's own name, because it answers to no other.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

SECONDS = 4.0  # Less than the deadline of whatever runs this.


def is_well(question: str, *, port: int, host: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", f"/health/{question}/", headers={"Host": host})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    question, port = [*arguments, "8000"][:2]
    host = urlsplit(os.environ.get("SITE_URL", "")).netloc or "localhost"
    return 0 if is_well(question, port=int(port), host=host) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
