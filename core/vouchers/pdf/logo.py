"""Load the issuer's logo from a PNG, JPEG or SVG file, and make it small enough to embed."""

import io
import warnings
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import resvg_py
from PIL import Image

from core.ground import OutsideFailed

MAX_WIDTH, MAX_HEIGHT = 600, 150  # pixels: 300 per inch in the space on the page


@dataclass(frozen=True)
class Logo:
    """A picture in the form of a PDF: rows of RGB, and rows of opacity, both compressed."""

    width: int  # in pixels
    height: int
    colours: bytes
    opacity: bytes


class LogoFault(OutsideFailed):
    """The file of the logo is missing or is not a picture."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"The logo {path} {reason}, so vouchers cannot be made. Restore the file, or set LOGO "
            "to another PNG, JPEG or SVG file."
        )


def load_logo(path: Path) -> Logo:
    """Return the picture in a file, from a cache until the file changes; raises LogoFault."""
    try:
        stamp = path.stat().st_mtime_ns
        return _load(path, stamp)
    except OSError as error:  # Pillow's error for a file that is not a picture has no strerror
        reason = f"cannot be read ({error.strerror})" if error.strerror else "is not a picture"
        raise LogoFault(path, reason) from error
    except (ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise LogoFault(path, "is damaged, or too large") from error


@lru_cache(maxsize=4)
def _load(path: Path, _stamp: int) -> Logo:
    content = path.read_bytes()
    if path.suffix.lower() == ".svg":
        content = draw_svg(content.decode())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is made smaller
        picture = Image.open(io.BytesIO(content)).convert("RGBA")
    picture.thumbnail((MAX_WIDTH, MAX_HEIGHT))
    return Logo(
        *picture.size,
        zlib.compress(picture.convert("RGB").tobytes(), 9),
        zlib.compress(picture.getchannel("A").tobytes(), 9),
    )


@lru_cache(maxsize=4)
def logo_to_png(logo: Logo) -> bytes:
    """Return a logo as PNG, for programs that cannot show SVG."""
    size = logo.width, logo.height
    picture = Image.frombytes("RGB", size, zlib.decompress(logo.colours))
    picture.putalpha(Image.frombytes("L", size, zlib.decompress(logo.opacity)))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def draw_svg(svg: str) -> bytes:
    """Render an SVG as PNG in the size of the logo; raises ValueError if it is not an SVG."""
    with Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg))) as plain:
        width, height = plain.size
    zoom = min(MAX_WIDTH / width, MAX_HEIGHT / height)
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=zoom))
