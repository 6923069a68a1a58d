/* From a row to its order and back: opening is one step of the browser's history, and whoever comes
   back finds the list where they left it. */
(function () {
  "use strict";
  const desk = window.orderDesk;

  const addressOf = (id) => `${desk.base}/order?order=${encodeURIComponent(id)}`;

  /* Streamlit listens for popstate: one entry of history, without a round trip before it. */
  function open(id) {
    remember(true);
    const page = window.parent;
    page.history.pushState(null, "", addressOf(id));
    page.dispatchEvent(new PopStateEvent("popstate"));
  }

  const orderColumn = () =>
    desk.api().getColumns().find((one) => one.getColDef().cellRenderer === desk.OrderLink);

  function orderOf(data) {
    const column = data && orderColumn();
    const id = column ? data[column.getColId()] : null;
    return id === desk.config().order ? null : id; /* it is open already */
  }

  function linkTo(id) {
    const link = document.createElement("a");
    link.href = addressOf(id);
    link.target = "_top";
    link.className = "deskLink";
    link.tabIndex = -1; /* Enter on its cell opens it */
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      open(id);
    });
    return link;
  }

  class OrderLink {
    init({ value }) {
      const isLink = value && value !== desk.config().order;
      this.gui = isLink ? linkTo(value) : document.createElement("span");
      this.gui.textContent = value || "";
    }

    getGui() {
      return this.gui;
    }

    refresh() {
      return false;
    }
  }
  desk.OrderLink = OrderLink;

  /* A member of an enumeration; a state is a tag, whose tint grid.css has for its tone. */
  class Word {
    init({ value, tones }) {
      this.gui = document.createElement("span");
      this.gui.className = "deskWord";
      if (tones[value]) this.gui.dataset.tone = tones[value];
      this.gui.textContent = value || "";
    }

    getGui() {
      return this.gui;
    }

    refresh() {
      return false;
    }
  }
  desk.Word = Word;

  /* In a table whose rows are orders, the whole row opens; marking text in it does not. */
  desk.onRowClicked = function ({ data, event }) {
    const { key } = desk.config();
    const isOrders = orderColumn() && orderColumn().getColId() === key;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; /* the link opens another tab */
    const isBox = event.target.closest('[col-id^="ag-Grid"]');
    if (isOrders && data && !isBox && !String(window.getSelection())) open(data[key]);
  };

  desk.onCellKeyDown = function (event) {
    const { key, ctrlKey, metaKey } = event.event;
    if (key === "Enter" && orderOf(event.data)) open(orderOf(event.data));
    else if (key === "Escape") desk.clearSelection();
    else if (key.toLowerCase() === "c" && (ctrlKey || metaKey)) desk.copy(event);
  };

  /* Where the list was, for when the person comes back to the same rows. */
  const storage = () => `orderDesk.${desk.config().place}`;
  const viewport = () => document.querySelector(".ag-body-viewport");
  const sideways = () => document.querySelector(".ag-center-cols-viewport");
  let isReturning = true; /* until the first rows of this grid are there */

  /* The grid tells its filters in the order in which they came about: it makes no difference. */
  const inOrder = (_, value) =>
    value && value.constructor === Object
      ? Object.fromEntries(Object.entries(value).filter((one) => one[1] !== null).sort())
      : value;
  const rowsOf = (api) => JSON.stringify(desk.asked(api.getFilterModel(), desk.sort()), inOrder);

  function remember(isLeaving) {
    const api = desk.api();
    if (!api || isReturning || !viewport()) return;
    const focused = api.getFocusedCell();
    const place = {
      rowsOf: rowsOf(api),
      top: viewport().scrollTop,
      left: sideways().scrollLeft,
      rows: api.getDisplayedRowCount(),
      focus: isLeaving && focused ? [focused.rowIndex, focused.column.getColId()] : null,
    };
    try {
      sessionStorage.setItem(storage(), JSON.stringify(place));
    } catch (error) {
      /* no room, or not allowed: the list opens at its top */
    }
  }
  desk.rememberPlace = () => remember(false);

  desk.returnToPlace = function () {
    if (!isReturning) return;
    isReturning = false;
    let place = /** @type {Place} */ (null);
    try {
      place = JSON.parse(sessionStorage.getItem(storage()));
    } catch (error) {
      return;
    }
    const api = desk.api();
    if (!api || !place || place.rowsOf !== rowsOf(api)) return;
    if (place.top > 0) api.setRowCount(Math.max(place.rows, api.getDisplayedRowCount()), false);
    setTimeout(() => {
      viewport().scrollTop = place.top;
      sideways().scrollLeft = place.left;
      const isFree = window.parent.document.activeElement === window.parent.document.body;
      if (place.focus && isFree) api.setFocusedCell(...place.focus);
    }, 0);
  };
})();
