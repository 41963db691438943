"""Signing in with an account elsewhere, by OpenID Connect. A provider is there when its variables
are set (docs/operations.md), and nowhere to be seen when they are not."""

from typing import Any

from marketplace import environment

GOOGLE = "https://accounts.google.com"


def social_providers() -> dict[str, Any]:
    """allauth's SOCIALACCOUNT_PROVIDERS."""
    apps = []
    if client := _read_client(
        "GOOGLE", environment.text("GOOGLE_CLIENT_ID"), environment.text("GOOGLE_CLIENT_SECRET")
    ):
        apps.append(_describe_app("google", "Google", GOOGLE, client))
    if url := environment.text("OPENID_CONNECT_URL"):
        client = _read_client(
            "OPENID_CONNECT",
            environment.text("OPENID_CONNECT_CLIENT_ID"),
            environment.text("OPENID_CONNECT_CLIENT_SECRET"),
        )
        if not client:
            environment.stop("OPENID_CONNECT_URL is set, but OPENID_CONNECT_CLIENT_ID is not.")
        _check_url("OPENID_CONNECT_URL", url)
        name = environment.text("OPENID_CONNECT_NAME", "OpenID Connect")
        apps.append(_describe_app("openid", name, url.rstrip("/"), client))
    return {"openid_connect": {"APPS": apps, "OAUTH_PKCE_ENABLED": True}}


def _read_client(prefix: str, client_id: str, secret: str) -> tuple[str, str] | None:
    """Its name and its secret at the provider, or None where neither is set."""
    if bool(client_id) != bool(secret):
        environment.stop(f"{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET go together: set both.")
    return (client_id, secret) if client_id else None


def _check_url(name: str, url: str) -> None:
    """What is read from there says who somebody is: nobody on the way may write it."""
    example = "https://login.example"
    parts = environment.split_url(name, url, example)
    rest = (parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(rest) or "?" in url:
        environment.stop(f"{name} must look like {example}, without a question mark or a password.")
    is_near = environment.is_loopback(parts.hostname) or environment.flag("DEBUG")
    if parts.scheme == "http" and not is_near:
        environment.stop(f"{name} must begin with https://: who somebody is comes from there.")


def _describe_app(key: str, name: str, url: str, client: tuple[str, str]) -> dict[str, Any]:
    return {
        "provider_id": key,
        "name": name,
        "client_id": client[0],
        "secret": client[1],
        "settings": {"server_url": url},
    }
