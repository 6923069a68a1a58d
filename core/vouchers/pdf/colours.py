"""Colours: read from their code, and made such that what stands on them can be read."""

Colour = tuple[float, float, float]  # red, green and blue, from 0 to 1

INK: Colour = (0.059, 0.09, 0.165)
WHITE: Colour = (1, 1, 1)


def parse_colour(code: str) -> Colour:
    """Read a colour: #0f766e."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def colour_code(colour: Colour) -> str:
    """Write a colour as style sheets have it: #0f766e."""
    return f"#{bytes(round(part * 255) for part in colour).hex()}"


def readable_colour(colour: Colour) -> Colour:
    """Darken a colour until it can be read on white and on its own tint (contrast 4.5 to 1)."""
    while luminance(colour) > 0.15:
        red, green, blue = colour
        colour = red * 0.9, green * 0.9, blue * 0.9
    return colour


def readable_on(colour: Colour) -> Colour:
    """Return what can be read on a colour: white or ink."""
    return WHITE if luminance(colour) < 0.4 else INK


def tint(colour: Colour) -> Colour:
    """Return a light background in a colour."""
    red, green, blue = (0.9 + 0.1 * part for part in colour)
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Return how light a colour is, as WCAG 2 measures contrast."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
