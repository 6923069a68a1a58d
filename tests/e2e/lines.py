"""What stands in a line of the page: in one row, within the window, nothing over another."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TypedDict

from playwright.sync_api import Page

SLACK = 1.0  # pixels, for what is rounded
ONE_ROW = 16.0  # pixels between the middles of what stands side by side
# Links, buttons, boxes and texts that are seen; not a text in a button, nor what nobody sees.
BOXES = """selector => {
  const parts = `:is(${selector}) :is(a, button, input, h1, p)`;
  const isSeen = one => one.checkVisibility({visibilityProperty: true, opacityProperty: true})
    && one.clientWidth > 2 && getComputedStyle(one).clipPath === "none";
  const isWhole = one => !one.parentElement.closest("a, button, :is([data-baseweb] input)");
  const isCut = one => [one, ...one.querySelectorAll("p")]
    .some(text => text.clientWidth > 2 && text.scrollWidth > text.clientWidth + 1);
  return [...document.querySelectorAll(parts)].filter(isSeen).filter(isWhole).map(one => {
    const {left, right, top, bottom} = one.getBoundingClientRect();
    const name = one.ariaLabel || one.placeholder || one.textContent.trim();
    return {name, left, right, top, bottom, isCut: isCut(one)};
  });
}"""


class Box(TypedDict):
    """Where an element is in the window, in pixels."""

    name: str
    left: float
    right: float
    top: float
    bottom: float
    isCut: bool


def boxes_in(page: Page, selector: str) -> list[Box]:
    """Measure what is seen in the elements of a selector, from left to right."""
    found: list[Box] = page.evaluate(BOXES, selector)
    return sorted(found, key=lambda one: one["left"])


def _middle(box: Box) -> float:
    return (box["top"] + box["bottom"]) / 2


def faults_of_line(boxes: list[Box], end: float) -> Iterator[str]:
    """Say what is past the end of its line, in another row, or over its neighbour."""
    for box in boxes:
        if box["left"] < -SLACK or box["right"] > end + SLACK:
            yield f"“{box['name']}” stands out of its line"
        if abs(_middle(box) - _middle(boxes[0])) > ONE_ROW:
            yield f"“{box['name']}” stands in another row than “{boxes[0]['name']}”"
    for one, other in pairwise(boxes):
        if other["left"] < one["right"] - SLACK:
            yield f"“{other['name']}” stands over “{one['name']}”"
