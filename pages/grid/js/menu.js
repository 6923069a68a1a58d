/* The menu of a row: by a right click, and by the menu key, Shift+F10 or M. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const KEYS = ["ContextMenu", "m", "M"];
  const MARGIN = 6; /* pixels to the edge of the frame */
  let menu = /** @type {HTMLElement} */ (null);

  /* What was clicked: the cell's element, its row and column, and the row's values. */
  function cellOf(target) {
    const element = target.closest && target.closest(".ag-cell[col-id]");
    const row = element && element.closest("[row-index]");
    const column = row && desk.api().getColumn(element.getAttribute("col-id"));
    if (!column || !column.getColDef().field) return null;
    const node = desk.api().getDisplayedRowAtIndex(Number(row.getAttribute("row-index")));
    return node && node.data ? { element, column, node } : null;
  }

  const isMenuKey = ({ key, shiftKey, ctrlKey, metaKey, altKey }) =>
    !ctrlKey && !metaKey && !altKey && (KEYS.includes(key) || (key === "F10" && shiftKey));

  /* Not by the grid's own event: it comes later, after the browser has asked for a menu as well. */
  document.addEventListener("keydown", (event) => {
    const cell = isMenuKey(event) && desk.api() && cellOf(event.target);
    if (!cell) return;
    event.preventDefault();
    const { left, bottom } = cell.element.getBoundingClientRect();
    show(cell, left + 12, bottom - 4);
  });

  document.addEventListener("contextmenu", (event) => {
    const cell = desk.api() && cellOf(event.target);
    /* With marked text, the browser's own menu copies it. */
    if (!cell || String(window.getSelection())) return;
    event.preventDefault();
    const { rowIndex } = cell.node;
    desk.api().setFocusedCell(rowIndex, cell.column);
    show(cell, event.clientX, event.clientY);
  });

  function entries({ column, node }) {
    const order = desk.orderOf(node.data);
    const canFilter = Boolean(column.getColDef().filter);
    return [
      order && ["Open in new tab", () => window.open(desk.addressOf(order), "_blank", "noopener")],
      ["Copy ID", () => desk.copyText(node.id, "ID copied")],
      ["Copy row", () => desk.copyText(desk.lineOf(node.data), "1 row copied")],
      canFilter && ["Filter by this value", () => filterBy(column, node, false)],
      canFilter && ["Exclude this value", () => filterBy(column, node, true)],
    ].filter(Boolean);
  }

  function show(cell, left, top) {
    close();
    menu = document.createElement("div");
    menu.className = "deskMenu";
    menu.setAttribute("role", "menu");
    menu.setAttribute("aria-label", "Row");
    for (const [words, act] of entries(cell)) menu.append(item(words, act));
    document.body.append(menu);
    const { offsetWidth, offsetHeight } = menu;
    menu.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - offsetWidth - MARGIN))}px`;
    menu.style.top = `${Math.max(MARGIN, Math.min(top, innerHeight - offsetHeight - MARGIN))}px`;
    menu.addEventListener("keydown", onKey);
    /* The menu key asks for the browser's own menu as it is let go, where ours has the focus. */
    menu.addEventListener("contextmenu", (event) => event.preventDefault());
    menu.dataset.row = String(cell.node.rowIndex);
    menu.dataset.column = cell.column.getColId();
    focus(0);
  }

  function item(words, act) {
    const one = document.createElement("div");
    one.setAttribute("role", "menuitem");
    one.tabIndex = -1;
    one.textContent = words;
    one.addEventListener("click", () => {
      close(true);
      act();
    });
    return one;
  }

  const items = () => /** @type {HTMLElement[]} */ (Array.from(menu.children));
  const focus = (index) => items()[(index + menu.children.length) % menu.children.length].focus();

  function onKey(event) {
    event.stopPropagation();
    const at = items().indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 };
    if (event.key in moves) focus(moves[event.key]);
    else if (event.key === "Enter" || event.key === " ") items()[at].click();
    else if (event.key === "Escape" || event.key === "Tab") close(true);
    else return;
    event.preventDefault();
  }

  function close(returns) {
    if (!menu) return;
    const { row, column } = menu.dataset;
    menu.remove();
    menu = null;
    if (returns) desk.api().setFocusedCell(Number(row), column);
  }
  for (const name of ["pointerdown", "scroll", "wheel"]) {
    const closeOutside = (event) => menu && !menu.contains(event.target) && close();
    document.addEventListener(name, closeOutside, { capture: true, passive: true });
  }
  window.addEventListener("blur", () => close());

  /* A condition that is true for the rows with the value of a cell, or for all others. */
  function conditionOf(column, value, isExcluded) {
    const { filter, filterParams = {} } = column.getColDef();
    const isBlank = value === null || value === undefined || value === "";
    if (filterParams.isFlag) {
      const words = Object.entries(filterParams.words);
      const values = words.filter(([, word]) => (word === value) !== isExcluded).map(([key]) => key);
      return { filterType: "set", values };
    }
    const isDate = filter === desk.DateFilter;
    const filterType = isDate ? "date" : filter === "agNumberColumnFilter" ? "number" : "text";
    if (isBlank) return { filterType, type: isExcluded ? "notBlank" : "blank" };
    const type = isExcluded ? "notEqual" : "equals";
    const text = String(value);
    if (isDate) return { filterType, type, dateFrom: text.slice(0, 10) };
    const isNumber = filterType === "number";
    return { filterType, type, filter: isNumber ? Number(text.replaceAll(",", "")) : text };
  }

  /* A filter replaces that of its column. Excluding one more value keeps the one before. */
  function filterBy(column, node, isExcluded) {
    const api = desk.api();
    const value = node.data[column.getColId()];
    const condition = conditionOf(column, value, isExcluded);
    const before = api.getFilterModel()[column.getColId()];
    const isJoined = isExcluded && before && before.type && before.filterType === condition.filterType;
    const { filterType } = condition;
    const model = isJoined
      ? { filterType, operator: "AND", conditions: [before, condition] }
      : condition;
    api.setFilterModel({ ...api.getFilterModel(), [column.getColId()]: model });
  }
})();
