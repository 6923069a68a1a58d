"""Overview: daily figures that the database keeps, and the questions they answer."""

from core.overview.counting import (
    invalidate_figures,
    rebuild_figures,
    rebuild_figures_in,
    refresh_figures,
    refresh_figures_early,
    report_zone,
)
from core.overview.overview import (
    ContractCurrency,
    Figure,
    Group,
    Overview,
    Question,
    currencies,
    load_contract_currencies,
    load_overview,
    rate,
    today,
)
from core.overview.periods import PERIODS, Period

__all__ = [
    "PERIODS",
    "ContractCurrency",
    "Figure",
    "Group",
    "Overview",
    "Period",
    "Question",
    "currencies",
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
