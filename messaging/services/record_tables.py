"""The host's user table, which the statements of `record` join. Its names are code, not input."""

from functools import cache

from django.contrib.auth import get_user_model
from django.db import connection


@cache
def with_user_table(statement: str) -> str:
    model = get_user_model()
    quote = connection.ops.quote_name
    return statement.format(
        user_table=quote(model._meta.db_table), user_key=quote(model._meta.pk.column)
    )
