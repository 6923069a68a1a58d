/* Is the grid ahead of the page? Its rows follow a filter at once, and the page a moment later, with
   its links to files of these rows. Meanwhile the page holds a click on them: see files.js. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const TYPED_MS = 400; /* a box waits for the next letter, and then the grid tells the page */
  let typedAt = -Infinity;
  let isUntold = false;
  let told = 0; /* the number of the last answer, which no other grid has */
  let toldFor = ""; /* which state of the page the last answer was for; before it, the first view */

  document.addEventListener("input", () => (typedAt = performance.now()), true);

  desk.hasNews = () => (isUntold = true);

  const stateOf = ({ revision, selection }) => `${revision} ${selection.revision}`;
  const viewOf = ({ view }) => JSON.stringify(view);

  desk.noteFirst = (config) => (toldFor = viewOf(config));

  desk.numberAnswer = function () {
    isUntold = false;
    toldFor = stateOf(desk.config());
    told = Math.max(told + 1, Date.now());
    return told;
  };

  desk.isAhead = function () {
    if (isUntold || desk.isLoading() || performance.now() - typedAt < TYPED_MS) return true;
    /* What the page has drawn, see `_show_progress` in pages/grid/table.py. */
    const drawn = /** @type {HTMLElement} */ (window.parent.document.querySelector("[data-answer]"));
    if (!drawn) return false;
    const { answer, revision } = drawn.dataset;
    return (told > 0 && answer !== String(told)) || revision !== String(desk.config().revision);
  };

  /* Does the page know what the grid shows? A new session does not take an answer for another
     revision. Each answer runs the page, which closes its dialog, so none is sent without need. */
  desk.isKnown = function () {
    const known = told ? stateOf(desk.config()) : viewOf(desk.config());
    return known === toldFor && !desk.isAhead();
  };
})();
