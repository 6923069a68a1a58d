"""Overview's choices, figures and plots."""

from pages.charts.figures import show_figures
from pages.charts.plots import show_plots
from pages.charts.question import ask_question, contract_names

__all__ = ["ask_question", "contract_names", "show_figures", "show_plots"]
