/* A list scrolls as the person says. The grid has two boxes that scroll, the rows and the bar beside
   them, and moves one when the other moves. Some 150 ms later it forgets which one the person moved.
   In a browser that is busy so long, the echo of a scroll comes later, and the grid would take it for
   another one: it would jump back to where the rows were, or not hear the scroll that follows. So it
   hears the rows alone, and the rows follow the bar here. */
(function () {
  "use strict";
  let shown = 0; /* where the rows are, and the grid puts the bar */
  let dragged = /** @type {number | null} */ (null); /* where the bar has put the rows */
  const are = (one, other) => Math.abs(one - other) < 1;

  function follow(rows, bar) {
    rows.scrollTop = bar.scrollTop;
    dragged = rows.scrollTop;
  }

  document.addEventListener(
    "scroll",
    (event) => {
      const rows = document.querySelector(".ag-body-viewport");
      const bar = document.querySelector(".ag-body-vertical-scroll-viewport");
      if (event.target === rows) {
        const isBehind = rows.scrollTop === dragged && !are(rows.scrollTop, bar.scrollTop);
        dragged = null;
        if (isBehind) follow(rows, bar);
        shown = rows.scrollTop;
      } else if (event.target === bar) {
        event.stopImmediatePropagation();
        const echo = Math.min(shown, bar.scrollHeight - bar.clientHeight);
        if (!are(bar.scrollTop, echo)) follow(rows, bar);
      }
    },
    true
  );
})();
