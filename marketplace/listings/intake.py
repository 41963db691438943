"""Turns a file that a person uploads into a photo in two sizes, or refuses it in a sentence.

Nothing of the file itself is kept: it is decoded, turned upright and encoded anew, which leaves
behind where and when it was taken and whatever else was hidden in it.
"""

import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import IO

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 10_000  # pixels
LARGE_BOX = 1280  # pixels, each way
SMALL_BOX = 320

# Belt and braces: Pillow's own check, for what a decoder finds out only while it decodes.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An encoded JPEG and its size in pixels."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class PreparedPhoto:
    large: Picture
    small: Picture


def prepare_photo(file: IO[bytes], *, size: int) -> PreparedPhoto:
    """Both sizes of the photo in `file`, which has `size` bytes. Raises ValidationError."""
    if size > MOST_BYTES:
        raise ValidationError(_("This photo is larger than 10 MB."), code="too_large")
    try:
        with Image.open(file, formats=FORMATS) as image:
            check_size(image.width, image.height)
            upright = decode(image)
    except ValidationError:
        raise
    except Exception as problem:  # A decoder fed with a hostile file raises anything.
        raise ValidationError(
            _("This is not a photo that we can read. Use a JPEG, PNG or WebP file."),
            code="unreadable",
        ) from problem
    return encode_sizes(upright)


def check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise ValidationError(
            _("This photo has too many pixels. Use one of at most 40 megapixels."),
            code="too_many_pixels",
        )


def decode(image: Image.Image) -> Image.Image:
    """The pixels of the first frame, upright, without transparency, in RGB."""
    image.draft("RGB", (LARGE_BOX * 2, LARGE_BOX * 2))  # JPEG: decodes only what is needed.
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        upright = Image.new("RGBA", layer.size, "white")
        upright.alpha_composite(layer)
    return upright.convert("RGB")


def encode_sizes(image: Image.Image) -> PreparedPhoto:
    large = shrink(image, LARGE_BOX)
    return PreparedPhoto(large=encode(large), small=encode(shrink(large, SMALL_BOX)))


def shrink(image: Image.Image, box: int) -> Image.Image:
    copy = image.copy()
    copy.thumbnail((box, box), Image.Resampling.LANCZOS)
    return copy


def encode(image: Image.Image) -> Picture:
    output = BytesIO()
    image.save(output, "JPEG", quality=85, progressive=True, optimize=True)
    return Picture(content=output.getvalue(), width=image.width, height=image.height)
