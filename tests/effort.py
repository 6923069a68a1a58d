"""How much a test run tries: a little in `make test`, everything in `make test-thorough`.

Cheap examples, a bug's shape and every border stay in both. What only repeats with other numbers
(thousands of random views, broken files, killed processes) is a tenth in the quick run.
"""

from hypothesis import HealthCheck, settings

QUICK, THOROUGH = "quick", "thorough"
# The quick run draws the same examples each time, so that it fails because of a change and not by
# chance. The thorough one draws new examples, and prints how to repeat one that fails.
_ALIKE = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile(QUICK, _ALIKE, max_examples=50, derandomize=True, database=None)
settings.register_profile(THOROUGH, _ALIKE, max_examples=1_000)


def choose(*, is_thorough: bool) -> None:
    """Set how much is tried, before any test module is imported."""
    settings.load_profile(THOROUGH if is_thorough else QUICK)


def is_thorough() -> bool:
    """Say whether this is the thorough run."""
    return settings.get_current_profile_name() == THOROUGH


def some(quick: int, thorough: int) -> int:
    """Return how many of something to try."""
    return thorough if is_thorough() else quick


def share(factor: float) -> settings:
    """Return settings with a multiple of the profile's examples: less for those that take long."""
    usual = settings()
    return settings(usual, max_examples=max(1, round(usual.max_examples * factor)))
