/* The keys, and the list of them. A key counts wherever the focus is, also in the grid's frame, but
   not while somebody types. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const KEYS = {
    "Everywhere": [
      ["Ctrl K", "Search everything; also /"],
      ["?", "This list"],
      ["Tab", "Go to the next control"],
      ["Esc", "Close a menu or dialog"],
    ],
    "In a table": [
      ["↑ ↓ ← →", "Go from cell to cell"],
      ["Enter", "Open the order; on a header, sort"],
      ["Space", "Select the row"],
      ["M", "Open the row’s menu; also Shift F10, or a right click"],
      ["Esc", "Clear the selection"],
      ["Ctrl C", "Copy the selected rows, or the cell"],
    ],
  };

  const TYPED = "input, textarea, select, [contenteditable=true]";
  const isTyping = (target) => Boolean(target.closest && target.closest(TYPED));

  page.onKey = function (event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    if (event.defaultPrevented || altKey) return;
    const isSearch = (ctrlKey || metaKey) && key.toLowerCase() === "k";
    if (isSearch) event.preventDefault(); /* the browser would search the web */
    else if (ctrlKey || metaKey || isTyping(event.target)) return;
    const opens = isSearch ? "deskSearch" : { "?": "deskKeys", "/": "deskSearch" }[key];
    if (opens && page.open(opens)) event.preventDefault();
  };
  document.addEventListener("keydown", page.onKey);

  function element(name, text, children) {
    const one = document.createElement(name);
    if (text) one.textContent = text;
    one.append(...(children || []));
    return one;
  }

  function list() {
    return Object.entries(KEYS).map(([title, keys]) => {
      const rows = keys.map(([names, what]) =>
        element("div", "", [
          element("dt", "", names.split(" ").map((name) => element("kbd", name))),
          element("dd", what),
        ])
      );
      return element("section", "", [element("h3", title), element("dl", "", rows)]);
    });
  }
  document.addEventListener("DOMContentLoaded", () => {
    document.getElementById("deskKeysList").append(...list());
  });
})();
