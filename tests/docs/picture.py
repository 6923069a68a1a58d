"""The layers as a picture: SVG, drawn from the imports, the same for the same imports."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from tests.docs.imports import Part, arrows, floors, within

WIDTH, HEIGHT, GAP, RISE, EDGE = 124, 34, 26, 76, 24  # of a box; between boxes; between floors
TURN = 14  # the room that an arrow takes where it passes a floor
ROUNDS = 24
CROSSING = "↑ pages, on top of core ↓"
STYLE = """
  text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #17212f }
  .core { fill: #e3f2ef; stroke: #0f766e } .pages { fill: #fdf0e2; stroke: #b45309 }
  path { fill: none; stroke: #7b8794; stroke-width: 1.2 } marker path { fill: #7b8794 }
  .back { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf2 } .back { fill: #10161f } path { stroke: #9aa7b8 }
    marker path { fill: #9aa7b8 }
    .core { fill: #12332f; stroke: #2dd4bf } .pages { fill: #3a2a16; stroke: #d08a3a }
  }
"""

# A way from a part down to another: the part, a turn on each floor between, the other.
Way = tuple[str, ...]


def draw(parts: Mapping[str, Part]) -> str:
    """Draw pages on core: each part a box above what it imports, and the arrows within each.

    The arrows from pages to core are left out: pages import any of it.
    """
    inside = [within(parts, is_core=True), within(parts, is_core=False)]
    ground = max(floors(inside[0]).values()) + 2  # of pages: a floor is left free
    heights = floors(inside[0]) | {name: ground + up for name, up in floors(inside[1]).items()}
    ways = [way for group in inside for way in _ways(arrows(group), heights)]
    places = _places(_rows(heights, ways))
    width = max(x for x, _ in places.values()) + WIDTH / 2 + EDGE
    height = 2 * EDGE + HEIGHT + RISE * max(heights.values())
    middle = height - EDGE - HEIGHT / 2 - RISE * (ground - 1)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" role="img">',
            "<title>The parts of Order Desk; each imports only what is below it</title>",
            f"<style>{STYLE}</style>",
            '<marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker>',
            f'<rect class="back" width="{width:.0f}" height="{height:.0f}"/>',
            f'<text x="{width / 2:.0f}" y="{middle + 4.5:.0f}">{CROSSING}</text>',
            *(_arrow([places[one] for one in way]) for way in ways),
            *(_box(name, places[name]) for name in heights),
            "</svg>\n",
        ]
    )


def _ways(pairs: Iterable[tuple[str, str]], heights: Mapping[str, int]) -> Iterator[Way]:
    for upper, lower in pairs:
        between = range(heights[upper] - 1, heights[lower], -1)
        yield (upper, *(f"{upper} > {lower} @ {floor}" for floor in between), lower)


def _rows(heights: Mapping[str, int], ways: Sequence[Way]) -> list[list[str]]:
    """Return what stands on each floor, from the ground up, in an order with few crossings."""
    rows: list[list[str]] = [[] for _ in range(max(heights.values()) + 1)]
    for name, floor in heights.items():
        rows[floor].append(name)
    for way in ways:
        for step, turn in enumerate(way[1:-1], 1):
            rows[heights[way[0]] - step].append(turn)
    beside: dict[str, list[str]] = {}
    for one, other in (pair for way in ways for pair in pairwise(way)):
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    for step in range(ROUNDS):
        for row in rows if step % 2 else reversed(rows):
            places = _places(rows)
            row.sort(key=lambda name: (_middle(beside.get(name, ()), places, name), name))
    return rows


def _middle(names: Iterable[str], places: Mapping[str, tuple[float, float]], name: str) -> float:
    found = [places[one][0] for one in names]
    return sum(found) / len(found) if found else places[name][0]


def _places(rows: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Return the middle of everything, each floor centred over the others."""
    widths = [sum(_width(one) for one in row) + GAP * (len(row) - 1) for row in rows]
    places = {}
    for floor, row in enumerate(rows):
        x = EDGE + (max(widths) - widths[floor]) / 2
        y = EDGE + HEIGHT / 2 + RISE * (len(rows) - 1 - floor)
        for name in row:
            places[name] = (x + _width(name) / 2, y)
            x += _width(name) + GAP
    return places


def _width(name: str) -> int:
    return TURN if "@" in name else WIDTH


def _arrow(points: Sequence[tuple[float, float]]) -> str:
    """Draw a curve that goes straight down past each floor between."""
    (x, y), (last_x, last_y) = points[0], points[-1]
    steps = [(x, y + HEIGHT / 2)]
    for turn_x, turn_y in points[1:-1]:
        steps += [(turn_x, turn_y - HEIGHT / 2), (turn_x, turn_y + HEIGHT / 2)]
    steps.append((last_x, last_y - HEIGHT / 2 - 2))
    drawn = [f"M{steps[0][0]:.0f} {steps[0][1]:.0f}"]
    for (x, y), (to_x, to_y) in pairwise(steps):
        half = (to_y - y) / 2
        drawn.append(f"C{x:.0f} {y + half:.0f} {to_x:.0f} {to_y - half:.0f} {to_x:.0f} {to_y:.0f}")
    return f'<path d="{" ".join(drawn)}" marker-end="url(#tip)"/>'


def _box(name: str, place: tuple[float, float]) -> str:
    x, y = place
    root, _, rest = name.partition(".")
    shown = rest if root == "core" else {"pages": "page scripts", "app": "app.py"}.get(name, name)
    kind = "core" if root == "core" else "pages"
    return (
        f'<rect class="{kind}" x="{x - WIDTH / 2:.0f}" y="{y - HEIGHT / 2:.0f}" '
        f'width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
        f'<text x="{x:.0f}" y="{y + 4.5:.0f}">{escape(shown)}</text>'
    )
