"""A file of any size as an answer, read as it is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from django.http import FileResponse


class PrivateFileResponse(FileResponse):
    """An attachment that no cache keeps.

    Under ASGI Django would read all of a file into a list before it sends the first byte.
    """

    def __init__(self, path: Path, *, file_name: str) -> None:
        super().__init__(
            path.open("rb"), as_attachment=True, filename=file_name, content_type="application/zip"
        )
        self.path = path
        self.headers["Cache-Control"] = "private, no-store"
        self.headers["X-Content-Type-Options"] = "nosniff"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with await asyncio.to_thread(self.path.open, "rb") as file:
            while chunk := await asyncio.to_thread(file.read, self.block_size):
                yield chunk
