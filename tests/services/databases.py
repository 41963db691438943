"""Further databases beside the one in DATABASE_URL, for processes that are not this one."""

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql


def create_database(url: str, name: str) -> str:
    """On the same server as `url`; its own URL. An old one of that name goes first."""
    drop_database(url, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def drop_database(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        connection.execute(statement.format(sql.Identifier(name)))
