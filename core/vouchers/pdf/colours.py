"""Colours: parse them, and choose colours with enough contrast for text."""

Colour = tuple[float, float, float]  # red, green and blue, from 0 to 1

INK: Colour = (0.059, 0.09, 0.165)
WHITE: Colour = (1, 1, 1)


def parse_colour(code: str) -> Colour:
    """Parse a colour such as #0f766e."""
    red, green, blue = bytes.fromhex(code.removeprefix("#"))
    return red / 255, green / 255, blue / 255


def colour_code(colour: Colour) -> str:
    """Return a colour in the notation of CSS: #0f766e."""
    return f"#{bytes(round(part * 255) for part in colour).hex()}"


def readable_colour(colour: Colour) -> Colour:
    """Darken a colour until it is readable on white and on its own tint (contrast 4.5 to 1)."""
    while luminance(colour) > 0.15:
        red, green, blue = colour
        colour = red * 0.9, green * 0.9, blue * 0.9
    return colour


def readable_on(colour: Colour) -> Colour:
    """Return the text colour that can be read on a background: white or ink."""
    return WHITE if luminance(colour) < 0.4 else INK


def tint(colour: Colour) -> Colour:
    """Return a light tint of a colour, for a background."""
    red, green, blue = (0.9 + 0.1 * part for part in colour)
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Return the relative luminance of a colour (WCAG 2), from 0 to 1."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
