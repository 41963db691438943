"""What `bin/dev` can be told. Standard library only."""

import argparse
from collections.abc import Sequence


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/dev", description="Run everything: pages, sockets, Celery and a private Valkey."
    )
    parser.add_argument("--port", type=port_number, help="default: 8000, or the next free one")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument(
        "--install", action="store_true", help="install what is missing of the system, with apt-get"
    )
    return parser.parse_args(arguments)


def port_number(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not “{text}”")
    return int(text)
