/* A list scrolls as the person says. The grid has two boxes that scroll, the rows and the bar beside
   them, and moves one when the other moves. After half a second without a scroll it forgets which
   one the person moved. If the browser is busy so long that the bar's echo of a scroll comes later,
   the grid would take it for a drag of the bar, and jump back to where the rows were. */
(function () {
  "use strict";
  const ROWS = ".ag-body-viewport";
  const BAR = ".ag-body-vertical-scroll-viewport";
  let echo = null; /* where the grid has moved the bar, after the rows */

  document.addEventListener(
    "scroll",
    (event) => {
      const box = event.target;
      if (!(box instanceof Element)) return;
      if (box.matches(ROWS)) echo = box.scrollTop;
      else if (box.matches(BAR) && box.scrollTop === echo) {
        const rows = document.querySelector(ROWS);
        if (rows.scrollTop !== echo) event.stopImmediatePropagation();
      }
    },
    true
  );
})();
