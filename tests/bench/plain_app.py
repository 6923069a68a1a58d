"""The plain alternative: every order in a DataFrame, and the DataFrame in AgGrid.

It is as fast as a plain app can be: the frame is read once and cached, not on every run.
PLAIN_ROWS limits the rows.
"""

import os
import sqlite3
from contextlib import closing

import pandas as pd
import streamlit as st
from st_aggrid import AgGrid

TEXT, NUMBER, DATE = "agTextColumnFilter", "agNumberColumnFilter", "agDateColumnFilter"
COLUMNS = {
    "no": ("No", NUMBER),
    "order_id": ("Order ID", TEXT),
    "widget_id": ("Widget ID", TEXT),
    "created_at": ("Created Date", DATE),
    "item_count": ("Total", NUMBER),
    "contract_id": ("Contract ID", TEXT),
    "author": ("Author", TEXT),
}


@st.cache_data
def load_orders() -> pd.DataFrame:
    """Load every order, or so many, newest first."""
    most = int(os.environ.get("PLAIN_ROWS", "-1"))
    newest = f"FROM orders ORDER BY created_at DESC, order_id DESC LIMIT {most}"
    statement = f"SELECT {', '.join(COLUMNS)} {newest}"
    with closing(sqlite3.connect(os.environ["PLAIN_DATABASE"])) as connection:
        orders = pd.read_sql_query(statement, connection)
    orders["created_at"] = pd.to_datetime(orders["created_at"], unit="s")
    return orders


st.set_page_config(page_title="Orders", layout="wide")
st.title("Orders")
options = {
    "columnDefs": [
        {"field": name, "headerName": header, "filter": kind}
        for name, (header, kind) in COLUMNS.items()
    ],
    "defaultColDef": {"sortable": True, "resizable": True, "floatingFilter": True},
}
AgGrid(load_orders(), options, height=600, key="orders")
