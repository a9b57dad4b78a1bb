"""What a picture says of its own size, read before anybody unpacks it. Pure.

A few kilobytes can unpack to gigabytes, so the size is read from the header and bounded here; what
stands in the header is all that is looked at. Unpacking is left to the model's walled process.
"""

import struct
from dataclasses import dataclass

from runtime.errors import BadRequest

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
# Frames of every kind (ITU T.81, table B.1): C4, C8 and CC are other marks.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # marks without a length
HINT = "Send it as JPEG or PNG."


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may bring: how many pictures, and of each how many bytes and pixels."""

    count: int
    size_bytes: int
    pixels: int


def check_images(images: list[bytes], limits: Limits) -> None:
    """Refuse pictures that are too many, too large, or of an unknown kind. Raises BadRequest."""
    if len(images) > limits.count:
        raise BadRequest(f"more than {limits.count} images", "Send fewer of them.")
    for image in images:
        if len(image) > limits.size_bytes:
            most = limits.size_bytes
            raise BadRequest(f"an image has more than {most} bytes", "Make it smaller.")
        width, height = size_of(image)
        if width * height > limits.pixels:
            raise BadRequest(
                f"an image of {width} x {height} has more than {limits.pixels} pixels",
                "Make it smaller.",
            )


def size_of(image: bytes) -> tuple[int, int]:
    """Width and height of a PNG or JPEG. Raises BadRequest."""
    if image.startswith(PNG) and image[12:16] == b"IHDR" and len(image) >= 24:
        width, height = struct.unpack(">II", image[16:24])
    elif image.startswith(JPEG):
        width, height = _jpeg_size(image)
    else:
        raise BadRequest("the image is of a kind that is not read here", HINT)
    if not width or not height:
        raise BadRequest("the image has no size", HINT)
    return width, height


def _jpeg_size(image: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(image):
        if image[at] != 0xFF:
            break
        mark = image[at + 1]
        if mark == 0xFF or mark in ALONE:
            at += 1 if mark == 0xFF else 2
            continue
        if mark in FRAMES:
            height, width = struct.unpack(">HH", image[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", image[at + 2 : at + 4])[0]
    raise BadRequest("the image does not say its size", HINT)
