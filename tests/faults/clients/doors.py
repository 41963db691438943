"""HTTP as people of a campaign use it: either web process, and no second try by itself."""

from collections.abc import Callable
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import httpx

from tests.faults.clients.answers import UNREACHABLE, Answer, refused, unknown
from tests.faults.clients.people import Session

SECONDS = 15.0
JSON, PAGE = "application/json", "text/html"
# Nothing of the request has left when these are raised.
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout)


class Doors:
    """One client for each web process. `web` counts from 1, as the history does. `look` is shown
    the whole text of every answer: in which session, what was asked for, and whether as a page."""

    def __init__(self, urls: list[str]) -> None:
        self.look: Callable[[Session, str, str, bool], None] | None = None
        # Without a limit: one that hangs must keep nobody else from asking.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=30)
        self.clients = [
            httpx.AsyncClient(base_url=url, timeout=SECONDS, limits=limits, trust_env=False)
            for url in urls
        ]
        for client in self.clients:  # Everybody shares them: cookies are told with each request.
            client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()

    async def get(self, web: int, path: str, session: Session) -> Answer:
        return await self._ask(web, "GET", path, session)

    async def get_page(self, web: int, path: str, session: Session) -> Answer:
        """As a browser asks for it; its text goes to `look` alone."""
        return await self._ask(web, "GET", path, session, accept=PAGE)

    async def post(self, web: int, path: str, session: Session, **fields: object) -> Answer:
        return await self._ask(web, "POST", path, session, fields)

    async def _ask(
        self,
        web: int,
        method: str,
        path: str,
        session: Session,
        fields: dict[str, object] | None = None,
        accept: str = JSON,
    ) -> Answer:
        headers = {
            "Accept": accept,
            "Cookie": session.cookies,
            "X-CSRFToken": session.csrf_token,
        }
        try:
            response = await self.clients[web - 1].request(
                method, path, headers=headers, json=fields
            )
        except NEVER_LEFT:
            return UNREACHABLE
        except httpx.HTTPError as error:
            return unknown(type(error).__name__)
        if self.look is not None:
            self.look(session, path, response.text, accept == PAGE)
        return classify(response)


def classify(response: httpx.Response) -> Answer:
    """A redirect is the end of a form: done, unless it leads to the log-in."""
    body = read_object(response)
    status = response.status_code
    if status in (200, 201):
        return Answer("ok", body=body)
    if status in (302, 303):
        to_login = "/accounts/login/" in response.headers.get("location", "")
        return Answer("fail", "unauthenticated") if to_login else Answer("ok")
    code = str(body.get("code") or f"status {status}")
    return unknown(code) if status >= 500 else refused(code)


def read_object(response: httpx.Response) -> dict[str, Any]:
    """Empty when the answer is no JSON object."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
