"""One search over orders, order items, vouchers, passengers and e-mails."""

from core.search.everywhere import Hit, find_everywhere

__all__ = ["Hit", "find_everywhere"]
