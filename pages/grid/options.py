"""The options of AG Grid: column definitions from a table's description, and the theme."""

from itertools import takewhile
from typing import Any

from st_aggrid import JsCode, StAggridTheme

from core.ground import TONES, word_of
from core.tables import Column, Kind, Table
from core.views import EARLIEST, LATEST, MAX_DAYS, Layout, View, date_choices

BLOCK_ROWS = 200
FILTERS = {
    Kind.TEXT: "agTextColumnFilter",
    Kind.CODE: "agTextColumnFilter",
    Kind.NUMBER: "agNumberColumnFilter",
    Kind.MONEY: "agNumberColumnFilter",
}

# The component sets Streamlit's colours as CSS variables, so light and dark follow the page.
THEME = StAggridTheme(base="quartz").withParams(
    fontFamily='Inter, sans-serif, "Desk CJK"',
    fontSize=13,
    headerFontWeight=600,
    accentColor="var(--primary-color)",
    foregroundColor="var(--text-color)",
    backgroundColor="var(--background-color)",
    chromeBackgroundColor="var(--secondary-background-color)",
    borderColor="var(--desk-line)",
    browserColorScheme="inherit",  # grid.js sets the frame's scheme to the page's
    wrapperBorder=False,
    wrapperBorderRadius=0,
    rowHeight=36,
    headerHeight=40,
    spacing=7,
    cellHorizontalPadding=10,
)


def grid_options(table: Table, config: str) -> dict[str, Any]:
    """Build the options. `config` is the base64url text that configure() in grid.js reads.

    The same `config` gives the same options: a changed option makes the grid apply all of them.
    """
    return {
        # First, because the functions below read it. Base64url, so that no text can become code.
        "context": JsCode(f"orderDesk.configure('{config}')"),
        "initialState": JsCode("orderDesk.initialState()"),
        "onGridReady": JsCode("orderDesk.onGridReady"),
        "onGridSizeChanged": JsCode("orderDesk.fit"),
        "onColumnVisible": JsCode("orderDesk.fit"),
        "onColumnResized": JsCode("orderDesk.onColumnResized"),
        "onColumnMoved": JsCode("orderDesk.onColumnMoved"),
        "onColumnPinned": JsCode("orderDesk.onColumnPinned"),
        "onRowSelected": JsCode("orderDesk.onRowSelected"),
        "onRowClicked": JsCode("orderDesk.onRowClicked"),
        "onCellKeyDown": JsCode("orderDesk.onCellKeyDown"),
        "tabToNextCell": JsCode("orderDesk.leaveByTab"),
        "onBodyScrollEnd": JsCode("orderDesk.rememberPlace"),
        "rowModelType": "infinite",
        "datasource": JsCode("orderDesk.datasource"),
        "getRowId": JsCode("orderDesk.rowId"),
        "rowClassRules": {"deskChanged": JsCode("orderDesk.isMarked")},
        "cacheBlockSize": BLOCK_ROWS,
        "maxBlocksInCache": 50,
        "maxConcurrentDatasourceRequests": 2,
        "blockLoadDebounceMillis": 40,
        "infiniteInitialRowCount": 1,
        "columnDefs": [_column_definition(table, column) for column in table.offered],
        "rowSelection": {
            "mode": "multiRow",
            "headerCheckbox": False,
            "enableClickSelection": False,
        },
        # Its header is for a screen reader alone: grid.css hides it.
        "selectionColumnDef": {
            "headerName": "Selected",
            "pinned": "left",
            "width": 44,
            "suppressMovable": True,
        },
        "defaultColDef": {
            "sortable": True,
            "resizable": True,
            "floatingFilter": True,
            "suppressHeaderMenuButton": True,
            "wrapHeaderText": True,
            "sortingOrder": ["asc", "desc"],
            "tooltipValueGetter": JsCode("orderDesk.tooltip"),
        },
        "suppressDragLeaveHidesColumns": True,
        "maintainColumnOrder": True,  # when the page sends new options
        "rowBuffer": 4,  # above and below the window; each row adds two dozen cells
        "suppressColumnVirtualisation": True,  # at most two dozen; a screen reader finds all
        "suppressMultiSort": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "animateRows": False,
        "tooltipShowDelay": 500,
        "noRowsOverlayComponent": JsCode("orderDesk.NoRows"),
        "noRowsOverlayComponentParams": {"one": table.one, "clear": "Clear filters"},
    }


def adapting_columns(view: View) -> dict[str, int]:
    """Return the first columns that a narrow window hides or unpins, and the width to hide below.

    They are those that stand first and are pinned by default. A person who unpins, moves or resizes
    one keeps it in every window.
    """
    layout, pinned = dict(view.layout), Layout(pinned="left")
    first = takewhile(lambda one: one.is_pinned and layout.get(one.name) == pinned, view.columns)
    return {column.name: column.yields_below for column in first}


def _column_definition(table: Table, column: Column) -> dict[str, Any]:
    definition: dict[str, Any] = {
        "colId": column.name,
        "field": column.name,
        "headerName": column.header,
        "headerTooltip": column.help,
        "initialWidth": column.width,
        "minWidth": 60,
        "filter": FILTERS.get(column.kind),
        "filterParams": {"debounceMs": 150, "inRangeInclusive": True},
    }
    if column.kind in (Kind.INSTANT, Kind.DATE):
        definition["filter"] = JsCode("orderDesk.DateFilter")
        definition["floatingFilterComponent"] = JsCode("orderDesk.DateBox")
        definition["filterParams"] |= _date_settings(column)
    if column.has_choices:
        definition["filter"] = JsCode("orderDesk.SetFilter")
        definition["floatingFilterComponent"] = JsCode("orderDesk.SetFloatingFilter")
        definition["filterParams"] |= {
            "words": column.words,
            "isFlag": column.kind is Kind.FLAG,
        }
    if column.kind is Kind.FLAG:
        definition["cellClassRules"] = {"deskNo": JsCode("orderDesk.isNo")}
    if column.kind in (Kind.NUMBER, Kind.MONEY):
        definition["type"] = "rightAligned"
    if column.kind in (Kind.TEXT, Kind.CODE):
        definition["valueFormatter"] = JsCode("orderDesk.formatText")
    names = table.column_of_names(column)
    if names is not None:
        definition["cellRenderer"] = JsCode("orderDesk.Named")
        definition["cellRendererParams"] = {"name": names.name}
    elif column.opens_order:
        definition["cellRenderer"] = JsCode("orderDesk.OrderLink")
    elif column.opens_its_order:
        definition["cellRenderer"] = JsCode("orderDesk.ItemLink")
    elif column.allowed is not None:
        definition["cellRenderer"] = JsCode("orderDesk.Word")
        tones = TONES.get(column.allowed, {})
        definition["cellRendererParams"] = {
            "tones": {word_of(word): tone.value for word, tone in tones.items()}
        }
    return definition


def _date_settings(column: Column) -> dict[str, Any]:
    """Return what the date filter offers and takes; the server checks it again."""
    choices = [
        {
            "type": one.operator.value,
            "label": one.label,
            "takes": one.takes,
            "count": one.count,
            "isListed": one.is_listed,
        }
        for one in date_choices(column)
    ]
    ends = {"earliest": f"{EARLIEST}", "latest": f"{LATEST}"}
    return {"choices": choices, "maxDays": MAX_DAYS} | ends
