/* What the grid's scripts share: `window.orderDesk`, and what the page tells it. Only the checks
   read this file; the browser never gets it. */
import type {
  CellClassParams,
  CellKeyDownEvent,
  ColumnMovedEvent,
  ColumnResizedEvent,
  FilterModel,
  GridApi,
  GridReadyEvent,
  GridState,
  GetRowIdParams,
  IDatasource,
  IFilterParams,
  IFloatingFilterParams,
  ITooltipParams,
  RowClassParams,
  RowClickedEvent,
  RowSelectedEvent,
  ValueFormatterParams,
} from "ag-grid-community";

declare global {
  /* A column of a view: its name alone, or with the width or side that a person chose. */
  interface SizedColumn {
    colId: string;
    width?: number;
    pinned?: "left" | "right" | boolean | null;
  }

  interface Sort {
    colId: string;
    sort: "asc" | "desc";
  }

  type Api = GridApi;

  interface View {
    filters: FilterModel;
    sort: Sort[];
    columns: (string | SizedColumn)[];
    zone: string;
    search?: string;
    ids?: string[];
  }

  /* A view as the server takes it. */
  interface AskedView {
    filters: FilterModel | null;
    sort: Sort[];
    zone: string;
    search?: string;
    ids?: string[];
  }

  /* What the page says, see `_draw` in pages/grid/table.py. */
  interface Config {
    table: string;
    title: string;
    many: string;
    place: string;
    key: string;
    order: string | null;
    token: string;
    revision: number;
    view: View;
    hidden: string[];
    adapting: Record<string, number>; /* columns that a narrow grid unpins, and hides below a width */
    selection: { revision: number; keys: string[] };
    data: number;
    maxSelected: number;
    controls: Record<string, string>; /* how the screen shows each */
  }

  type Row = Record<string, unknown>;
  type Choice = [value: string | null, count: number | null];

  interface Answer {
    rows: Row[];
    last: number | null;
    count: number;
    choices: Choice[];
    more: boolean;
  }

  /* A filter as AG Grid keeps it, or ours: a set of values. */
  interface SetFilterModel {
    filterType?: string;
    type?: string;
    filter?: string | null;
    values?: (string | null)[];
    conditions?: SetFilterModel[];
  }

  type SetFilterParams = IFilterParams & { words?: Record<string, string>; isFlag?: boolean };
  interface SetFloatingFilterParams extends Omit<IFloatingFilterParams, "parentFilterInstance"> {
    filterParams: SetFilterParams;
    parentFilterInstance(act: (parent: { choose(model: SetFilterModel | null): void }) => void): void;
  }

  /* Where a list was left, see `remember` in opening.js. */
  interface Place {
    rowsOf: string;
    top: number;
    left: number;
    rows: number;
    focus: [rowIndex: number, colId: string] | null;
  }

  /* AG Grid says of an event only that it is one. */
  type Click = { event: MouseEvent & { target: Element } };
  type KeyPress = { event: KeyboardEvent };

  interface OrderDesk {
    base: string;
    configure(text: string): object;
    config(): Config;
    api(): Api;
    always(): boolean;
    answer(): object;
    announce(sentence: string): void;
    notify(sentence: string | null): void;
    ask(question: object, isWanted?: () => boolean): Promise<Answer>;
    asked(filters: FilterModel | null, sort: Sort[]): AskedView;
    currentFilters(): FilterModel;
    sendAnswer(): void;
    datasource: (() => void) & IDatasource;
    rowId(params: GetRowIdParams): string;
    shown(text: string): string;
    formatText(params: ValueFormatterParams): string;
    tooltip(params: ITooltipParams): string | null;
    onGridReady(event: GridReadyEvent): void;

    initialState(): GridState;
    applyView(before: Config): void;
    sort(): Sort[];
    columns(): (string | SizedColumn)[];
    fit(): void;
    reload(): void;
    markChanges(rows: Row[]): void;
    isMarked(params: RowClassParams): boolean;
    onColumnResized(event: ColumnResizedEvent): void;
    onColumnMoved(event: ColumnMovedEvent): void;

    selected(): string[];
    applySelection(before: Config | null): void;
    drawSelection(): void;
    clearSelection(): void;
    copy(event: CellKeyDownEvent & KeyPress): Promise<void>;
    onRowSelected(event: RowSelectedEvent): void;

    OrderLink: unknown;
    Word: unknown;
    isNo(params: CellClassParams): boolean;
    onRowClicked(event: RowClickedEvent & Click): void;
    onCellKeyDown(event: CellKeyDownEvent & KeyPress): void;
    rememberPlace(): void;
    returnToPlace(): void;

    SetFilter: unknown;
    SetFloatingFilter: unknown;
  }

  interface Window {
    orderDesk: OrderDesk;
  }
}
