"""How much a single request may bring."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler

MOST_BYTES_AT_ONCE = 41 * 1024 * 1024  # 40 MB of photos, and the form.


class BoundedUploadHandler(FileUploadHandler):
    """Refuses a body that is too large before any of it is parsed. Leaves the rest to the next."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        if content_length > MOST_BYTES_AT_ONCE:
            raise RequestDataTooBig("The files of this request are too large together.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
