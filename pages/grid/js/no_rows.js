/* A table whose filters hide every row says which filters these are, and clears them. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  /* The page's own button, which clears its search and pasted IDs as well. */
  const CLEAR_ALL = '[class*="st-key-clear_"] button';

  /* What hides rows, as the page names it: the search, IDs, and the headers of filtered columns. */
  function filtersInWords(api) {
    const { search, ids, keys } = desk.config().view;
    const headers = Object.keys(desk.currentFilters()).map((name) => {
      const column = api.getColumn(name);
      return column ? column.getColDef().headerName : name;
    });
    const others = [
      search && `Search “${desk.shown(search)}”`,
      ids && ids.length && "Pasted IDs",
      keys && "Selected rows",
    ];
    return [...others.filter(Boolean), ...headers];
  }

  function clear() {
    const button = /** @type {HTMLElement} */ (window.parent.document.querySelector(CLEAR_ALL));
    if (button) button.click();
    else desk.api().setFilterModel(null); /* the page has not drawn the filter that was just typed */
  }

  class NoRows {
    init({ api, one, clear: label }) {
      this.gui = desk.element("div", "deskNoRows");
      /* Inside a grid, a button stands in a cell of a row. */
      this.gui.setAttribute("role", "row");
      const cell = desk.element("div", "");
      cell.setAttribute("role", "gridcell");
      this.gui.append(cell);
      const words = filtersInWords(api);
      const clearing = desk.element("button", "deskNoRowsClear", label);
      clearing.type = "button";
      clearing.addEventListener("click", clear);
      cell.append(desk.element("p", "", `No ${one} matches these filters.`));
      if (words.length) cell.append(desk.element("p", "", `Filters: ${words.join(" · ")}`), clearing);
    }

    getGui() {
      return this.gui;
    }
  }

  desk.NoRows = NoRows;
})();
