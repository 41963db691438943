"""The host's user table, which the statements of `record` join. Its names are code, not input."""

from functools import cache

from django.contrib.auth import get_user_model
from django.db import connection


@cache
def with_user_table(statement: str) -> str:
    options = get_user_model()._meta
    quote = connection.ops.quote_name
    key = str(options.pk.column)
    return statement.format(user_table=quote(options.db_table), user_key=quote(key))
