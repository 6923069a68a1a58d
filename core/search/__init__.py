"""One search over orders, order items, vouchers, passengers and e-mails."""

from core.search.everywhere import Found, Hit, find_everywhere

__all__ = ["Found", "Hit", "find_everywhere"]
