"""Files that people upload, good and bad."""

import struct
import zlib
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def picture(
    kind: str = "JPEG", *, size: tuple[int, int] = (1600, 1200), mode: str = "RGB", **options: Any
) -> bytes:
    output = BytesIO()
    Image.new(mode, size, 128 if mode in {"L", "I;16"} else "teal").save(output, kind, **options)
    return output.getvalue()


def upload(content: bytes, name: str = "bike.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


def phone_photo() -> bytes:
    """Lying on its side, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: a quarter turn.
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[2] = (41.0, 58.0, 30.0)  # GPS latitude.
    return picture(size=(1600, 1200), exif=exif.tobytes())


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to nothing in it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "html behind a PNG signature": b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>",
    "svg": SVG,
    "gif": picture("GIF"),
    "tiff": picture("TIFF"),
    "bmp": picture("BMP"),
    "fits": b"SIMPLE  =                    T".ljust(2880),
    "truncated jpeg": picture()[:2000],
    "truncated png": picture("PNG")[:-500],
    "bomb": png_header(30_000, 30_000),
    "very wide": png_header(20_000, 10),
    "claims more than it has": png_header(2_000, 2_000),
    "empty zip": b"PK\x05\x06" + b"\0" * 18,
    "text": "not a photo at all, sorry – ñ".encode(),
    "nul bytes": b"\0" * 100,
    "broken webp": b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
}
