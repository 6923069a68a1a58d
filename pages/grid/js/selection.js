/* The selected rows: a set of keys that survives filtering, sorting, scrolling and reruns. The
   grid's own selection holds only rows that are loaded, so it is drawn from this set. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const BY_PERSON = ["checkboxSelected", "spaceKey", "rowClicked", "uiSelectAll"];
  let selectedKeys = new Set();
  let isDrawing = false;
  let timer = null;
  let copied = 0;

  desk.selected = () => [...selectedKeys];

  /* The page's selection wins if it is newer than the one here. */
  desk.applySelection = function (before) {
    const { revision, keys } = desk.config().selection;
    if (before && before.selection.revision >= revision) return;
    selectedKeys = new Set(keys);
    if (desk.api()) setTimeout(() => (desk.drawSelection(), announce()), 0);
  };

  /* Draw the selection on the rows that are loaded. */
  desk.drawSelection = function () {
    const api = desk.api();
    if (!api) return;
    isDrawing = true;
    api.forEachNode((node) => {
      if (node.data && node.isSelected() !== selectedKeys.has(node.id)) {
        node.setSelected(selectedKeys.has(node.id), false, "api");
      }
    });
    isDrawing = false;
  };

  desk.onRowSelected = function ({ node, source }) {
    if (isDrawing || !node.data || !BY_PERSON.includes(source)) return;
    if (node.isSelected()) selectedKeys.add(node.id);
    else selectedKeys.delete(node.id);
    const max = desk.config().maxSelected;
    if (selectedKeys.size > max) {
      selectedKeys.delete(node.id);
      setTimeout(desk.drawSelection, 0);
      desk.notify(`You can select at most ${max.toLocaleString("en")} rows.`);
      setTimeout(() => desk.notify(null), 4000);
    }
    changed();
  };

  desk.clearSelection = function () {
    selectedKeys.clear();
    desk.drawSelection();
    changed();
  };

  function changed() {
    desk.hasNews();
    clearTimeout(timer);
    timer = setTimeout(() => {
      desk.sendAnswer();
      announce();
    }, 100);
  }

  const announce = () => desk.announce(`${selectedKeys.size.toLocaleString("en")} selected`);

  /* Ctrl+C copies the marked text; without it, the selected rows; without these, the cell. */
  desk.copy = async function (event) {
    if (String(window.getSelection())) return;
    event.event.preventDefault();
    const text = selectedKeys.size ? rowsAsText() : plain(event.value, event.column);
    const rows = () => `${copied.toLocaleString("en")} row${copied === 1 ? "" : "s"} copied`;
    await desk.copyText(text, selectedKeys.size ? rows : "Copied");
  };

  /* Copy a text, which may come later, and say so. */
  desk.copyText = async function (text, said) {
    const blob = Promise.resolve(text).then((one) => new Blob([one], { type: "text/plain" }));
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      desk.announce(typeof said === "string" ? said : said());
    } catch (error) {
      desk.notify("The browser blocked copying. Mark the text and copy it yourself.");
      setTimeout(() => desk.notify(null), 4000);
    }
  };

  /* Rows may be hidden by a filter or not loaded, so fetch them, in the grid's order. */
  async function rowsAsText() {
    const view = { filters: {}, sort: desk.sort(), zone: desk.config().view.zone };
    const { rows } = await desk.ask({ view, keys: [...selectedKeys] });
    const header = shown().map((one) => one.getColDef().headerName);
    copied = rows.length;
    return [header.join("\t"), ...rows.map(desk.lineOf)].join("\r\n");
  }

  const shown = () => desk.api().getAllDisplayedColumns().filter((one) => one.getColDef().field);
  desk.lineOf = (row) => shown().map((one) => cell(row[one.getColId()], one)).join("\t");

  const isNumber = (column) => column.getColDef().type === "rightAligned";

  /* A text that a spreadsheet would take for a formula begins with an apostrophe. */
  function plain(value, column) {
    const text = value === null || value === undefined ? "" : String(value);
    return !isNumber(column) && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  }

  /* Write a cell of a row as spreadsheets do: with quotes where needed. */
  function cell(value, column) {
    const text = plain(value, column);
    if (isNumber(column)) return text.replaceAll(",", "");
    return /["\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
})();
