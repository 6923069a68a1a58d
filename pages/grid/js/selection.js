/* The ticked rows: a basket of keys that outlives filtering, sorting, scrolling and reruns. The
   grid's own selection knows only the rows that are loaded, so it is a picture of the basket. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const BY_HAND = ["checkboxSelected", "spaceKey", "rowClicked", "uiSelectAll"];
  let basket = new Set();
  let isDrawing = false;
  let timer = null;
  let copied = 0;

  desk.selected = () => [...basket];

  /* The page's word holds when it is newer than what was ticked here. */
  desk.selectAsTold = function (before) {
    const { revision, keys } = desk.config().selection;
    if (before && before.selection.revision >= revision) return;
    basket = new Set(keys);
    if (desk.api()) setTimeout(() => (desk.tickRows(), announce()), 0);
  };

  /* Show on the rows that are loaded what is in the basket. */
  desk.tickRows = function () {
    const api = desk.api();
    if (!api) return;
    isDrawing = true;
    api.forEachNode((node) => {
      if (node.data && node.isSelected() !== basket.has(node.id)) {
        node.setSelected(basket.has(node.id), false, "api");
      }
    });
    isDrawing = false;
  };

  desk.onRowSelected = function ({ node, source }) {
    if (isDrawing || !node.data || !BY_HAND.includes(source)) return;
    if (node.isSelected()) basket.add(node.id);
    else basket.delete(node.id);
    const most = desk.config().mostSelected;
    if (basket.size > most) {
      basket.delete(node.id);
      setTimeout(desk.tickRows, 0);
      desk.notify(`At most ${most.toLocaleString("en")} rows can be selected.`);
      setTimeout(() => desk.notify(null), 4000);
    }
    changed();
  };

  desk.clearSelection = function () {
    basket.clear();
    desk.tickRows();
    changed();
  };

  function changed() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      desk.sayAgain();
      announce();
    }, 100);
  }

  const announce = () => desk.announce(`${basket.size.toLocaleString("en")} selected`);

  /* Ctrl+C: the marked text, else the ticked rows, else the value of the cell in focus. */
  desk.copy = async function (event) {
    if (String(window.getSelection())) return;
    event.event.preventDefault();
    const { value } = event;
    const text = basket.size ? rowsAsText() : Promise.resolve(value == null ? "" : String(value));
    const blob = text.then((one) => new Blob([one], { type: "text/plain" }));
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      desk.announce(basket.size ? `${copied.toLocaleString("en")} rows copied` : "Copied");
    } catch (error) {
      desk.notify("The browser did not let Order Desk copy. Mark the text and copy it.");
      setTimeout(() => desk.notify(null), 4000);
    }
  };

  /* The rows may be filtered away or not loaded: the server is asked for them, in the grid's order. */
  async function rowsAsText() {
    const view = { filters: {}, sort: desk.sort(), zone: desk.config().view.zone };
    const { rows } = await desk.ask({ view, keys: [...basket] });
    const columns = desk.api().getAllDisplayedColumns().filter((one) => one.getColDef().field);
    const header = columns.map((one) => one.getColDef().headerName);
    copied = rows.length;
    const lines = rows.map((row) => columns.map((one) => cell(row[one.getColId()], one)));
    return [header, ...lines].map((line) => line.join("\t")).join("\r\n");
  }

  /* As spreadsheets write it: quoted where it would fall apart, and a formula as text. */
  function cell(value, column) {
    if (value === null || value === undefined) return "";
    const text = String(value);
    if (column.getColDef().type === "rightAligned") return text.replaceAll(",", "");
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /["\t\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }
})();
