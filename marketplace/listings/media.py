"""Serves the photos."""

import re

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

# Exactly the names that `services.store_photo` gives: no other path is ever opened.
PHOTO_NAME = re.compile(r"photos/[0-9a-f]{32}(-small)?\.jpg", re.ASCII)


@require_safe
def serve_photo(request: HttpRequest, name: str) -> HttpResponse:
    """A photo, which browsers and proxies may keep for ever: its name is random and its own."""
    if not PHOTO_NAME.fullmatch(name):
        raise Http404
    try:
        with default_storage.open(name) as file:
            # Read at once: it is small, and a file handed over as a stream of blocks would
            # occupy a thread for as long as the slowest phone takes.
            response = HttpResponse(file.read(), content_type="image/jpeg")
    except FileNotFoundError as problem:
        raise Http404 from problem
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # Mails show the first photo.
    return response
