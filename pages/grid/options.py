"""What AG Grid is told: a table's description as column definitions, and the frame's look."""

from typing import Any

from st_aggrid import JsCode, StAggridTheme

from core.ground import TONES
from core.tables import Column, Kind, Table, in_words
from core.views import DATE_PRESETS, Operator

BLOCK_ROWS = 200
FILTERS = {
    Kind.TEXT: "agTextColumnFilter",
    Kind.CODE: "agTextColumnFilter",
    Kind.NUMBER: "agNumberColumnFilter",
    Kind.MONEY: "agNumberColumnFilter",
    Kind.INSTANT: "agDateColumnFilter",
}
DATE_FILTERS = ["equals", "notEqual", "lessThan", "greaterThan", "inRange", "blank", "notBlank"]

# Colours are Streamlit's, which the component sets as CSS variables: light and dark by themselves.
THEME = StAggridTheme(base="quartz").withParams(
    fontFamily="Inter, sans-serif",
    fontSize=13,
    headerFontWeight=600,
    accentColor="var(--primary-color)",
    foregroundColor="var(--text-color)",
    backgroundColor="var(--background-color)",
    chromeBackgroundColor="var(--secondary-background-color)",
    borderColor="var(--desk-line)",
    browserColorScheme="inherit",  # of the frame, which grid.js matches to the page
    wrapperBorder=False,
    wrapperBorderRadius=0,
    rowHeight=36,
    headerHeight=40,
    spacing=7,
)


def grid_options(table: Table, config: str) -> dict[str, Any]:
    """Build the options; `config` is what grid.js's configure() reads, in base64url.

    The same for as long as `config` is: a changed option makes the grid apply all of them again.
    """
    return {
        # First, since the functions below read it. Base64url: a text of the view can be no code.
        "context": JsCode(f"orderDesk.configure('{config}')"),
        "initialState": JsCode("orderDesk.initialState()"),
        "onGridReady": JsCode("orderDesk.onGridReady"),
        "onGridSizeChanged": JsCode("orderDesk.fit"),
        "onColumnVisible": JsCode("orderDesk.fit"),
        "onColumnResized": JsCode("orderDesk.onColumnResized"),
        "onColumnMoved": JsCode("orderDesk.onColumnMoved"),
        "onRowSelected": JsCode("orderDesk.onRowSelected"),
        "onRowClicked": JsCode("orderDesk.onRowClicked"),
        "onCellKeyDown": JsCode("orderDesk.onCellKeyDown"),
        "onBodyScrollEnd": JsCode("orderDesk.rememberPlace"),
        "rowModelType": "infinite",
        "datasource": JsCode("orderDesk.datasource"),
        "getRowId": JsCode("orderDesk.rowId"),
        "cacheBlockSize": BLOCK_ROWS,
        "maxBlocksInCache": 50,
        "maxConcurrentDatasourceRequests": 2,
        "blockLoadDebounceMillis": 40,
        "infiniteInitialRowCount": 1,
        "columnDefs": [_column_definition(column) for column in table.offered],
        "rowSelection": {
            "mode": "multiRow",
            "headerCheckbox": False,
            "enableClickSelection": False,
        },
        "selectionColumnDef": {"pinned": "left", "width": 44, "suppressMovable": True},
        "defaultColDef": {
            "sortable": True,
            "resizable": True,
            "floatingFilter": True,
            "suppressHeaderMenuButton": True,
            "sortingOrder": ["asc", "desc"],
            "tooltipValueGetter": JsCode("orderDesk.tooltip"),
        },
        "suppressDragLeaveHidesColumns": True,
        "maintainColumnOrder": True,  # when the page has something to say, and options come anew
        "rowBuffer": 4,  # above and below the window: each is two dozen cells more to draw
        "suppressColumnVirtualisation": True,  # two dozen at most: all are there to be read
        "suppressMultiSort": False,
        "enableCellTextSelection": True,
        "ensureDomOrder": True,
        "animateRows": False,
        "tooltipShowDelay": 500,
        "overlayNoRowsTemplate": f"No {table.one} matches these filters.",
    }


def _column_definition(column: Column) -> dict[str, Any]:
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
    if column.kind is Kind.INSTANT:
        definition["filterParams"] |= {
            "filterOptions": [*DATE_FILTERS, *map(_date_preset, DATE_PRESETS)],
            "minValidYear": 1900,
            "maxValidYear": 2199,
        }
    if column.has_choices:
        definition["filter"] = JsCode("orderDesk.SetFilter")
        definition["floatingFilterComponent"] = JsCode("orderDesk.SetFloatingFilter")
        definition["filterParams"] |= {
            "isWords": column.allowed is not None,
            "isFlag": column.kind is Kind.FLAG,
        }
    if column.kind in (Kind.NUMBER, Kind.MONEY):
        definition["type"] = "rightAligned"
    if column.opens_order:
        definition["cellRenderer"] = JsCode("orderDesk.OrderLink")
    elif column.allowed is not None:
        definition["cellRenderer"] = JsCode("orderDesk.Word")
        tones = TONES.get(column.allowed, {})
        definition["cellRendererParams"] = {
            "tones": {in_words(word): tone.value for word, tone in tones.items()}
        }
    return definition


def _date_preset(operator: Operator) -> dict[str, Any]:
    """Describe a question without a value to the grid; the server answers it."""
    words = DATE_PRESETS[operator]
    return {
        "displayKey": operator.value,
        "displayName": words[0].upper() + words[1:],
        "numberOfInputs": 0,
        "predicate": JsCode("orderDesk.always"),
    }
