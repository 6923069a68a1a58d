/* The columns of the view: visible, in order, with width, pinning and sort; to the grid and back. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const CHECKBOXES = "ag-Grid-SelectionColumn";
  /* In the order on the screen, pinned columns first; without the column of checkboxes. */
  const ours = (api) =>
    api.getAllDisplayedColumns().filter((one) => one.getColId() !== CHECKBOXES);
  const nameOf = (one) => (typeof one === "string" ? one : one.colId);
  const laidOut = (view) => view.columns.map((one) => (typeof one === "string" ? { colId: one } : one));

  /* The default layout adapts to the window: some columns hide in a narrow one, and on a phone none
     is pinned. A layout that a person chose stays as it is. */
  const PHONE = 600;
  const yields = ({ colId }, width) => width > 0 && width < (desk.config().yielding[colId] || 0);
  function adapted() {
    const { view, yielding } = desk.config();
    const columns = laidOut(view).map((one) => ({ ...one, hide: false, pinned: one.pinned || null }));
    if (yielding === null) return columns;
    const width = document.documentElement.clientWidth;
    return columns.map((one) => ({
      ...one,
      hide: yields(one, width),
      pinned: width > 0 && width < PHONE ? null : one.pinned,
    }));
  }

  desk.initialState = function () {
    const { view, hidden } = desk.config();
    const columns = adapted();
    const pinned = (side) => columns.filter((one) => one.pinned === side).map(nameOf);
    return {
      partialColumnState: true,
      filter: { filterModel: view.filters },
      sort: { sortModel: view.sort },
      columnOrder: { orderedColIds: columns.map(nameOf).concat(hidden) },
      columnVisibility: { hiddenColIds: columns.filter((one) => one.hide).map(nameOf).concat(hidden) },
      columnPinning: { leftColIds: pinned("left"), rightColIds: pinned("right") },
    };
  };

  desk.applyView = function (before) {
    const { view, hidden } = desk.config();
    const sorted = new Map(view.sort.map((one, index) => [one.colId, [one.sort, index]]));
    const gone = hidden.map((colId) => ({ colId, hide: true, pinned: null }));
    const shown = [...adapted(), ...gone];
    const state = shown.map(({ colId, hide, pinned }) => {
      const [sort, sortIndex] = /** @type {[any, number]} */ (sorted.get(colId) || [null, null]);
      return { colId, hide, pinned, sort, sortIndex };
    });
    const api = desk.api();
    api.applyColumnState({ state, applyOrder: true });
    desk.fit();
    /* Search, IDs and zone are not filters of the grid, so a change of them must reload the rows. */
    const own = (/** @type {View} */ { search, ids, zone }) =>
      JSON.stringify([search || "", ids || [], zone]);
    const isFiltered = JSON.stringify(api.getFilterModel()) !== JSON.stringify(view.filters);
    if (isFiltered) api.setFilterModel(view.filters);
    else if (own(view) !== own(before.view)) api.purgeInfiniteCache();
  };

  desk.sort = () =>
    desk
      .api()
      .getColumnState()
      .filter((one) => one.sort)
      .sort((a, b) => a.sortIndex - b.sortIndex)
      .map((one) => ({ colId: one.colId, sort: one.sort }));

  /* The visible columns in order; with width and pinning where the person chose them. */
  desk.columns = function () {
    const sized = widths();
    if (desk.config().yielding !== null && !isArranged) return desk.config().view.columns;
    return ours(desk.api()).map((column) => {
      const one = { colId: column.getColId() };
      if (sized.has(one.colId)) one.width = sized.get(one.colId);
      if (column.getPinned()) one.pinned = column.getPinned();
      return Object.keys(one).length > 1 ? one : one.colId;
    });
  };

  let resized = new Map(); /* widths that the person chose since `appliedRevision` */
  let isArranged = false; /* whether the person moved or resized a column since then */
  let appliedRevision = null;

  function widths() {
    const { revision, view } = desk.config();
    if (appliedRevision !== revision) {
      appliedRevision = revision;
      isArranged = false;
      resized = new Map(laidOut(view).filter((one) => one.width).map((one) => [one.colId, one.width]));
    }
    return resized;
  }

  desk.onColumnResized = function ({ finished, source, column }) {
    if (!finished || source !== "uiColumnResized") return;
    /* By keyboard, one event comes for all columns that share the free width. */
    const header = document.activeElement.closest("[role=columnheader]");
    const one = column || (header && desk.api().getColumn(header.getAttribute("col-id")));
    if (!one) return;
    widths().set(one.getColId(), Math.round(one.getActualWidth()));
    isArranged = true;
    desk.fit();
    desk.sendAnswer();
  };

  /* A dragged header passes others; only the drop is one step of Back. */
  desk.onColumnMoved = function ({ finished, source }) {
    if (!finished || source === "api") return;
    widths();
    isArranged = isArranged || source === "uiColumnMoved";
    desk.sendAnswer();
  };

  /* Columns share the free width of the window; without free width, the grid scrolls. */
  desk.fit = function () {
    const api = desk.api();
    if (!api) return;
    const sized = widths();
    if (desk.config().yielding !== null && !isArranged) {
      api.applyColumnState({ state: adapted().map(({ colId, hide, pinned }) => ({ colId, hide, pinned })) });
    }
    const shown = ours(api);
    const usual = (one) => one.getColDef().initialWidth;
    const needed = shown.reduce((sum, one) => sum + (sized.get(one.getColId()) || usual(one)), 0);
    const hasRoom = needed < document.documentElement.clientWidth - 64;
    const state = shown.map((one) => {
      const width = sized.get(one.getColId());
      if (width) return { colId: one.getColId(), width, flex: null };
      return { colId: one.getColId(), width: usual(one), flex: hasRoom ? usual(one) : null };
    });
    /* initialState pins only our own columns, so pin the checkboxes here. */
    api.applyColumnState({ state: [{ colId: CHECKBOXES, pinned: "left" }, ...state] });
  };
})();
