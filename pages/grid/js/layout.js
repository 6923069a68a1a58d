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

  /* The first columns adapt to the window: a narrow one hides some, and a phone has none pinned.
     The view keeps them as they are. */
  const PHONE = 600;
  let adapted = new Set(); /* the names of those that look different from the view now */

  function adapt() {
    const { view, adapting } = desk.config();
    const width = document.documentElement.clientWidth;
    const sized = widths();
    const columns = laidOut(view).map((one) => {
      const usual = { colId: one.colId, hide: false, pinned: one.pinned || null };
      const isChosen = sized.has(one.colId) || moved.has(one.colId);
      if (!width || isChosen || !(one.colId in adapting)) return usual;
      return { ...usual, hide: width < adapting[one.colId], pinned: width < PHONE ? null : usual.pinned };
    });
    const before = adapted;
    const differs = (one) => one.hide || (one.colId in adapting && !one.pinned);
    adapted = new Set(columns.filter(differs).map(nameOf));
    const changed = columns.filter(({ colId }) => adapted.has(colId) !== before.has(colId));
    return { columns, changed };
  }

  desk.initialState = function () {
    const { view, hidden } = desk.config();
    const { columns } = adapt();
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
    const others = hidden.map((colId) => ({ colId, hide: true, pinned: null }));
    const state = [...adapt().columns, ...others].map((one) => {
      const [sort, sortIndex] = /** @type {[any, number]} */ (sorted.get(one.colId) || [null, null]);
      return { ...one, sort, sortIndex };
    });
    const api = desk.api();
    api.applyColumnState({ state, applyOrder: true });
    desk.fit();
    const had = new Set(laidOut(before.view).map(nameOf));
    const added = laidOut(view).map(nameOf).filter((one) => !had.has(one));
    if (added.length === 1) api.ensureColumnVisible(added[0]); /* so that the person sees it come */
    /* Search, IDs, keys and zone are not filters of the grid: a change must reload the rows. */
    const own = (/** @type {View} */ { search, ids, keys, zone }) =>
      JSON.stringify([search || "", ids || [], keys || null, zone]);
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

  /* The view's columns in order; with width and pinning where the person chose them. */
  desk.columns = function () {
    const sized = widths();
    const first = desk.config().view.columns.filter((one) => adapted.has(nameOf(one)));
    const others = ours(desk.api()).filter((one) => !adapted.has(one.getColId()));
    const laid = others.map((column) => {
      const one = { colId: column.getColId() };
      if (sized.has(one.colId)) one.width = sized.get(one.colId);
      if (column.getPinned()) one.pinned = column.getPinned();
      return Object.keys(one).length > 1 ? one : one.colId;
    });
    return [...first, ...laid];
  };

  let resized = new Map(); /* widths that the person chose since `appliedRevision` */
  let moved = new Set(); /* the columns that the person moved since then */
  let appliedRevision = null;

  function widths() {
    const { revision, view } = desk.config();
    if (appliedRevision !== revision) {
      appliedRevision = revision;
      moved = new Set();
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
    desk.fit();
    desk.sendAnswer();
  };

  /* The view, and fit(), move and pin columns too, which is nothing new to the page. */
  const isByPerson = (source) => source.startsWith("ui");

  /* A dragged header passes others; only the drop is one step of Back. */
  desk.onColumnMoved = function ({ finished, source, columns }) {
    widths();
    if (source === "uiColumnMoved") (columns || []).forEach((one) => moved.add(one.getColId()));
    if (finished && isByPerson(source)) desk.sendAnswer();
  };

  desk.onColumnPinned = function ({ source }) {
    if (isByPerson(source)) desk.sendAnswer();
  };

  /* An ID says its name, unless the column of the names is shown too. */
  function showNames(columns) {
    const named = columns.map((one) => (one.getColDef().cellRendererParams || {}).name);
    const isTwice = columns.some((one) => named.includes(one.getColId()));
    document.body.classList.toggle("deskNamesApart", isTwice);
  }

  /* Columns share the free width of the window; without free width, the grid scrolls. */
  desk.fit = function () {
    const api = desk.api();
    if (!api) return;
    const sized = widths();
    const { changed } = adapt();
    if (changed.length) api.applyColumnState({ state: changed });
    const shown = ours(api);
    showNames(shown);
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
