/* What the grid's scripts share: `window.orderDesk`, and what the page tells it. Only the checks
   read this file; the browser never gets it. */
import type {
  CellClassParams,
  CellKeyDownEvent,
  Column,
  ColumnMovedEvent,
  ColumnPinnedEvent,
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
  TabToNextCellParams,
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
    keys?: string[];
  }

  /* A view as the server takes it. */
  interface AskedView {
    filters: FilterModel | null;
    sort: Sort[];
    zone: string;
    search?: string;
    ids?: string[];
    keys?: string[];
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
    block: number; /* rows of an answer */
    maxSelected: number;
    controls: Record<string, string>; /* how the screen shows each */
    link: [number: number, id: string]; /* the short link to copy */
  }

  type Row = Record<string, unknown>;
  type Choice = [value: string | null, count: number | null, named?: string];

  interface Answer {
    rows: Row[];
    last: number | null;
    count: number;
    choices: Choice[];
    more: boolean;
  }

  interface First {
    asked: string;
    end: number;
    response: Promise<Response | null>;
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

  /* A choice of the date filter, see offered_dates.py. */
  interface DateChoice {
    type: string;
    label: string;
    takes: "" | "day" | "range" | "count";
    count: number | null;
    isListed: boolean;
  }

  /* A filter of dates: one condition, or two that are joined. */
  interface DateModel {
    filterType: string;
    type?: string;
    filter?: number;
    dateFrom?: string;
    dateTo?: string;
    operator?: "AND" | "OR";
    conditions?: DateModel[];
  }

  interface DateSettings {
    choices: DateChoice[];
    earliest: string;
    latest: string;
    maxDays: number;
  }

  type DateFilterParams = IFilterParams & DateSettings;
  interface DateBoxParams extends Omit<IFloatingFilterParams, "parentFilterInstance"> {
    filterParams: DateFilterParams;
    parentFilterInstance(act: (parent: { choose(model: DateModel | null): void }) => void): void;
  }

  type DateAnswer = { model?: DateModel | null; error?: string; isPending?: boolean };

  interface DateWords {
    ask(choice: DateChoice, added: string[], params: DateSettings): DateAnswer;
    choiceOf(condition: { type?: string; filter?: number }, choices: DateChoice[]): DateChoice;
    dayOf(text: string | undefined): string;
    isWhole(choice: DateChoice, text: string): boolean;
    parse(typed: string, params: DateSettings): DateAnswer;
    suggest(typed: string, choices: DateChoice[]): DateChoice[];
    textOf(model: DateModel | null, choices: DateChoice[]): string;
    wrong(choice: DateChoice, text: string, params: DateSettings): string;
  }

  interface DayField {
    gui: HTMLElement;
    input: HTMLInputElement;
    text: string;
  }

  interface DayFields {
    DayField: new (label: string, onInput: () => void) => DayField;
    calendarOf(input: HTMLInputElement): HTMLElement;
    textField(className: string, label: string): HTMLInputElement;
    mark(input: HTMLInputElement, error: string): void;
  }

  interface ListOption {
    label: string;
    choice: DateChoice;
    isChosen: boolean;
    beginsGroup?: boolean;
  }

  interface Listbox {
    isOpen: boolean;
    options: ListOption[];
    show(options: ListOption[], note: string, isWrong?: boolean): void;
    setNote(note: string): void;
    hide(): void;
    move(index: number): void;
    handle(event: KeyboardEvent): boolean;
  }
  type ListboxClass = new (
    input: HTMLInputElement,
    name: string,
    onChoose: (option: ListOption) => void
  ) => Listbox;

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
    answer(): object;
    announce(sentence: string): void;
    notify(sentence: string | null): void;
    tell(sentence: string): void;
    takeLink(before: Config | null): void;
    ask(
      question: object,
      isWanted?: () => boolean,
      sent?: Promise<Response | null>
    ): Promise<Answer>;
    asked(filters: FilterModel | null, sort: Sort[]): AskedView;
    textOf(view: AskedView): string;
    currentFilters(): FilterModel;
    isLoading(): boolean;
    isAhead(): boolean;
    isKnown(): boolean;
    noteFirst(config: Config): void;
    hasNews(): void;
    numberAnswer(): number;
    sendAnswer(): void;
    datasource: (() => void) & IDatasource;
    element<Tag extends keyof HTMLElementTagNameMap>(
      tag: Tag,
      className: string,
      text?: string
    ): HTMLElementTagNameMap[Tag];
    debounce(act: () => void): () => void;
    rowId(params: GetRowIdParams): string;
    shown(text: string): string;
    formatText(params: ValueFormatterParams): string;
    tooltip(params: ITooltipParams & { column: Column }): string | null;
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
    onColumnPinned(event: ColumnPinnedEvent): void;

    selected(): string[];
    applySelection(before: Config | null): void;
    drawSelection(): void;
    clearSelection(): void;
    copy(event: CellKeyDownEvent & KeyPress): Promise<void>;
    copyText(text: string | Promise<string>, said: string | (() => string)): Promise<void>;
    lineOf(row: Row): string;
    onRowSelected(event: RowSelectedEvent): void;

    addressOf(id: string): string;
    orderOf(data: Row): string | null;
    leaveByTab(asked: TabToNextCellParams): boolean;

    OrderLink: unknown;
    ItemLink: unknown;
    Word: unknown;
    Named: unknown;
    isNo(params: CellClassParams): boolean;
    onRowClicked(event: RowClickedEvent & Click): void;
    onCellKeyDown(event: CellKeyDownEvent & KeyPress): void;
    rememberPlace(): void;
    returnToPlace(): void;

    NoRows: unknown;
    Listbox: ListboxClass;
    dates: DateWords;
    days: DayFields;
    DateFilter: unknown;
    DateBox: unknown;
    SetFilter: unknown;
    SetFloatingFilter: unknown;
  }

  interface Window {
    orderDesk: OrderDesk;
  }
}
