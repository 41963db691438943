"""Arrays as PostgreSQL reads them: whatever people write comes back as it was."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.services import record_literals as literals

pytestmark = pytest.mark.django_db
STORABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@pytest.fixture(autouse=True)
def only_on_postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("An array is PostgreSQL's.")


def read_back(literal: str, kind: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [literal])
        (values,) = cursor.fetchone()
    return list(values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STORABLE))
def test_texts(values: list[str]) -> None:
    assert read_back(literals.texts(values), "text") == values


@pytest.mark.parametrize(
    "text", ["", "NULL", "null", "{}", "a,b", '"', "\\", '\\"', " x ", "é\n\t", "%s", "'; --"]
)
def test_texts_that_look_like_something_else(text: str) -> None:
    assert read_back(literals.texts([text, "next"]), "text") == [text, "next"]


def test_everything_else() -> None:
    moment = datetime(2026, 11, 22, 10, 11, 12, 131415, tzinfo=UTC)
    key = UUID("01a20299-164c-749a-a283-ab9bcf73aa3f")
    assert read_back(literals.numbers([1, None, 2**62]), "bigint") == [1, None, 2**62]
    assert read_back(literals.identifiers([key, None]), "uuid") == [key, None]
    assert read_back(literals.flags([True, False]), "boolean") == [True, False]
    assert read_back(literals.moments([moment, None]), "timestamptz") == [moment, None]
    assert read_back(literals.numbers([]), "bigint") == []
