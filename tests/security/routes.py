"""Every address of the site, as Django's resolver has it, and one that stands for each."""

import re
from collections.abc import Iterable, Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver

VARIABLE = re.compile(r"<(?:\w+:)?(?P<route>\w+)>|\(\?P<(?P<regex>\w+)>(?:[^()]|\([^()]*\))*\)")


def list_routes() -> list[str]:
    """As the patterns write them, each once, in the order in which they are tried."""
    return list(dict.fromkeys(_walk(get_resolver().url_patterns)))


def _walk(patterns: Iterable[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for entry in patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry.url_patterns, route)
        else:
            yield route


def variables_of(route: str) -> list[str]:
    return [found["route"] or found["regex"] for found in VARIABLE.finditer(route)]


def fill_in(route: str, values: Mapping[str, object]) -> str:
    """The path of a route with these values for its variables."""
    path = VARIABLE.sub(lambda found: str(values[found["route"] or found["regex"]]), route)
    return "/" + path.replace("^", "").removesuffix("$").removesuffix("\\Z")
