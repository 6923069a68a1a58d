"""Overview: figures and plots of orders, refunds and deadlines; each one links to its rows."""

from datetime import UTC, datetime

import streamlit as st

from core import overview
from core.tables import ORDERS
from pages.charts import ask_question, contract_names, show_figures, show_plots
from pages.grid import show_empty
from pages.shell import current_actor

actor, now = current_actor(), datetime.now(UTC)
pairs = overview.load_contract_currencies(actor=actor)
if not pairs:
    st.title("Overview", anchor=False)
    show_empty(ORDERS, actor)
else:
    question, as_tables = ask_question(pairs, now)
    found = overview.load_overview(question, actor=actor, now=now)
    show_figures(found, question.currency)
    if found.orders.count or found.items.count or found.refunds.count:
        show_plots(found, question, contract_names(pairs), as_tables=as_tables)
    else:
        words = "There are no orders in this period, and no refunds. Choose another period."
        st.info(words, icon=":material/inbox:")
