/* Rows that changed when the page made the grid reload them: they are marked for some seconds, so
   that a person sees what an action did. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const MARK_SECONDS = 8;
  const marked = new Set(); /* the keys of marked rows */
  let before = /** @type {Map<string, Row>} */ (new Map()); /* the rows before the reload, by key */
  let zone = null; /* of their times */
  let secondsLeft = 0;

  desk.reload = function () {
    before = new Map();
    zone = desk.config().view.zone;
    desk.api().forEachNode((node) => node.data && before.set(node.id, node.data));
    desk.api().refreshInfiniteCache();
  };

  /* Mark those of the loaded rows that were shown before the reload with other values. */
  desk.markChanges = function (rows) {
    if (zone !== desk.config().view.zone) return;
    const found = rows.filter((row) => {
      const was = before.get(String(row[desk.config().key]));
      return was && JSON.stringify(was) !== JSON.stringify(row);
    });
    if (!found.length) return;
    found.forEach((row) => marked.add(String(row[desk.config().key])));
    if (secondsLeft <= 0) setTimeout(fade, 1000);
    secondsLeft = MARK_SECONDS;
  };

  /* The seconds count while a person can see the rows: a dialog covers them. */
  function fade() {
    if (!window.parent.document.querySelector('[data-testid="stDialog"]')) secondsLeft -= 1;
    if (secondsLeft > 0) return void setTimeout(fade, 1000);
    marked.clear();
    document.querySelectorAll(".deskChanged").forEach((row) => row.classList.remove("deskChanged"));
  }

  desk.isMarked = ({ node }) => marked.has(node.id);
})();
