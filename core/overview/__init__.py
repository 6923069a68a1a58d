"""Overview: daily figures that the database keeps, and the questions they answer."""

from core.overview.choices import currencies, load_contract_currencies, today
from core.overview.counting import (
    invalidate_figures,
    rebuild_figures,
    rebuild_figures_in,
    refresh_figures,
    refresh_figures_early,
    report_zone,
)
from core.overview.figures import (
    Before,
    ContractCurrency,
    Figure,
    Group,
    Overview,
    Question,
    growth,
    rate,
)
from core.overview.overview import load_overview
from core.overview.periods import PERIODS, Period
from core.overview.sums import Sums

__all__ = [
    "PERIODS",
    "Before",
    "ContractCurrency",
    "Figure",
    "Group",
    "Overview",
    "Period",
    "Question",
    "Sums",
    "currencies",
    "growth",
    "invalidate_figures",
    "load_contract_currencies",
    "load_overview",
    "rate",
    "rebuild_figures",
    "rebuild_figures_in",
    "refresh_figures",
    "refresh_figures_early",
    "report_zone",
    "today",
]
