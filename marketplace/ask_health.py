"""Asks the web process of this machine how it is: `python -m marketplace.ask_health live|ready`.

For containers, which have no curl. Exit status 0 when the answer is 200, else 1.
"""

import http.client
import sys

SECONDS = 4.0  # Less than the deadline of whatever runs this.


def is_well(question: str, *, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", f"/health/{question}/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    question, port = [*arguments, "8000"][:2]
    return 0 if is_well(question, port=int(port)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
