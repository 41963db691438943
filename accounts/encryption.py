"""Keeps what must be read again, like the secret of an authenticator app, unreadable in the
database and in its backups. The key comes from SECRET_KEY; older ones open what they closed."""

import secrets
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PURPOSE = b"accounts.encryption:"


def encrypt_text(text: str) -> str:
    return _make_cipher().encrypt(text.encode()).decode()


def decrypt_text(encrypted: str) -> str:
    """What no key opens any more becomes something that nobody knows: it lets nobody in."""
    try:
        return _make_cipher().decrypt(encrypted.encode()).decode()
    except InvalidToken:
        return b32encode(secrets.token_bytes(20)).decode()


def _make_cipher() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derive_key(str(key))) for key in keys])


def _derive_key(secret: str) -> bytes:
    return urlsafe_b64encode(sha256(PURPOSE + secret.encode()).digest())
