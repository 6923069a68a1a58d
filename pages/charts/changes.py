"""How a figure has changed since the period before, in few words and in a sentence."""

from dataclasses import dataclass

from core.overview import Period, growth

SAME_BELOW = 0.005  # rounds to 0 %


@dataclass(frozen=True)
class Change:
    """A change: short, as 12% more, and as a sentence for a tooltip and for screen readers.

    Words, because a sign or a colour says good or bad, and more refunds are not good.
    """

    short: str
    sentence: str


def change_of(now: int, before: int, before_in_words: str) -> Change:
    """Compare two counts or amounts; `before_in_words` is the figure of the period before."""
    part = growth(now, before)
    if part is None:
        short = "as before" if now == before else "from 0"
        words = short if now == before else "more than before"
    elif abs(part) < SAME_BELOW:
        short = words = "about as before"
    else:
        short = f"{abs(part):,.0%} {'more' if part > 0 else 'less'}"
        words = f"{short} than before"
    return Change(short, f"{words}: {before_in_words} in the period before")


def change_of_rate(now: float, before: float) -> Change:
    """Compare two shares, by percentage points."""
    points = round((now - before) * 100, 1)
    sentence = f"{before:.1%} in the period before"
    if not points:
        return Change("as before", f"as before: {sentence}")
    direction = "more" if points > 0 else "less"
    words = f"{abs(points):.1f} percentage points {direction} than before"
    return Change(f"{abs(points):.1f} points {direction}", f"{words}: {sentence}")


def days_of(period: Period) -> str:
    """Return the days of a period: 2026-10-01 to 2026-10-31."""
    if period.first == period.last:
        return f"{period.first}"
    return f"{period.first} to {period.last}"


def in_words(currency: str | None) -> str:
    """Return which currency a figure is about."""
    return "in all currencies" if currency is None else f"sold in {currency}"
