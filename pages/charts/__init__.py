"""The plots of Overview."""

from pages.charts.plots import address_of, show_plots

__all__ = ["address_of", "show_plots"]
