"""Overview: daily figures that the database keeps, and the questions they answer."""

from core.overview.counting import (
    forget_figures,
    rebuild_figures,
    rebuild_figures_in,
    refresh_figures,
    refresh_figures_soon,
    report_zone,
)
from core.overview.overview import (
    Group,
    Offer,
    Overview,
    Question,
    Rows,
    currencies,
    load_offers,
    load_overview,
    rate,
    today,
)
from core.overview.periods import PERIODS, Period

__all__ = [
    "PERIODS",
    "Group",
    "Offer",
    "Overview",
    "Period",
    "Question",
    "Rows",
    "currencies",
    "forget_figures",
    "load_offers",
    "load_overview",
    "rate",
    "rebuild_figures",
    "rebuild_figures_in",
    "refresh_figures",
    "refresh_figures_soon",
    "report_zone",
    "today",
]
