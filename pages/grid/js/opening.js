/* From a row to its order and back. Opening an order is one step of the browser's history; Back
   shows the list at the same position. */
(function () {
  "use strict";
  const desk = window.orderDesk;

  const addressOf = (id) => `${desk.base}/order?order=${encodeURIComponent(id)}`;

  function open(id) {
    remember(true);
    const api = desk.api();
    const page = window.parent.orderDeskPage;
    if (isOrders()) page.rememberList(id, desk.asked(api.getFilterModel(), desk.sort()));
    page.go(addressOf(id));
  }

  const orderColumn = () =>
    desk.api().getColumns().find((one) => one.getColDef().cellRenderer === desk.OrderLink);

  const isOrders = () => orderColumn() && orderColumn().getColId() === desk.config().key;

  desk.addressOf = addressOf;
  desk.orderOf = orderOf;

  function orderOf(data) {
    const column = data && orderColumn();
    const id = column ? data[column.getColId()] : null;
    return id === desk.config().order ? null : id; /* this order is already open */
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
    init({ value, valueFormatted, data }) {
      const order = value && orderOf(data);
      this.gui = order ? linkTo(order) : document.createElement("span");
      this.gui.textContent = valueFormatted || "";
    }

    getGui() {
      return this.gui;
    }

    refresh() {
      return false;
    }
  }
  desk.OrderLink = OrderLink;
  /* The ID of an order item leads to its order. Another class, because `orderColumn` looks for one. */
  desk.ItemLink = class extends OrderLink {};

  /* A member of an enumeration. A state is a tag; grid.css has the colour for its tone. */
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

  /* An ID with the name that it has, which is in another column. The name is not part of the text. */
  class Named {
    init({ value, valueFormatted, data, name }) {
      this.gui = document.createElement("span");
      this.gui.textContent = valueFormatted || "";
      if (!value || !data || !data[name]) return;
      this.gui.className = "deskNamed";
      this.gui.dataset.name = desk.shown(data[name]);
    }

    getGui() {
      return this.gui;
    }

    refresh() {
      return false;
    }
  }
  desk.Named = Named;
  desk.isNo = ({ value }) => value === "No";

  /* In a table of orders, a click on a row opens the order; selecting text does not. */
  desk.onRowClicked = function ({ data, event }) {
    const { key } = desk.config();
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; /* the link opens another tab */
    const isBox = event.target.closest('[col-id^="ag-Grid"]');
    if (isOrders() && data && !isBox && !String(window.getSelection())) open(data[key]);
  };

  desk.onCellKeyDown = function (event) {
    const { key, ctrlKey, metaKey } = event.event;
    if (key === "Enter" && orderOf(event.data)) open(orderOf(event.data));
    else if (key === "Escape") desk.clearSelection();
    else if (key.toLowerCase() === "c" && (ctrlKey || metaKey)) desk.copy(event);
  };

  /* The position of the list, for a return to the same rows. */
  const storage = () => `orderDesk.${desk.config().place}`;
  const viewport = () => document.querySelector(".ag-body-viewport");
  const sideways = () => document.querySelector(".ag-center-cols-viewport");
  let isReturning = true; /* until the first rows of this grid are loaded */

  const rowsOf = (api) => desk.textOf(desk.asked(api.getFilterModel(), desk.sort()));

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
      /* storage is full or not allowed: the list opens at its top */
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
