/* The page that is drawn is the page of the address. Streamlit writes the address of a page when its
   first messages arrive, and sends a widget's answer to the page whose messages came last. So if the
   person has gone on meanwhile, Back or a click is lost, or a page is drawn without its query.
   Therefore every way to another page begins with the address; until that page is drawn, messages of
   another one do not change it; and if another one was drawn last, it is asked again. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const LINK = 'a[data-goes], a[data-testid="stPageLink-NavLink"]:not([target="_blank"])';
  const STATE = "data-test-script-state";
  const SETTLED_MS = 300; /* a run that was cut off has been followed by the next one by then */
  const write = {
    pushState: window.history.pushState.bind(window.history),
    replaceState: window.history.replaceState.bind(window.history),
  };
  const pathOf = (address) => new URL(address, window.location.href).pathname;
  const nameOf = (path) => decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  let asked = /** @type {string | null} */ (null); /* the path, until its page is drawn */
  let drawn = ""; /* the name of the page that was drawn last */
  let isAskedAgain = false;
  let settling = null;

  /* Go to an address of ours. Streamlit listens for popstate: this makes one history entry, without
     a round trip first. */
  page.go = function (address) {
    page.hear();
    write.pushState(null, "", address);
    ask();
  };
  const ask = () => window.dispatchEvent(new PopStateEvent("popstate"));

  window.addEventListener("popstate", () => {
    if (asked !== window.location.pathname) isAskedAgain = false;
    asked = window.location.pathname;
  });

  /* A grid of the page that a person has left says nothing more: Streamlit would run that page, which
     writes its query below the path of the next one. This listener comes before Streamlit's. */
  window.addEventListener("message", (event) => {
    const { type } = event.data || {};
    const isLeaving = asked !== null && drawn !== nameOf(asked);
    if (isLeaving && type === "streamlit:setComponentValue") event.stopImmediatePropagation();
  });

  /* Streamlit says which page it draws. */
  window.addEventListener("message", ({ source, data }) => {
    if (source !== window || !data || data.type !== "SET_CURRENT_PAGE_NAME") return;
    drawn = data.currentPageName;
  });

  for (const kind of /** @type {("pushState" | "replaceState")[]} */ (Object.keys(write))) {
    window.history[kind] = function (state, title, address) {
      if (address && asked !== null && pathOf(address) !== asked) return;
      write[kind](state, title, address);
    };
  }

  /* The page of the bare address has no name. */
  const isAnotherDrawn = () =>
    drawn !== "" && !["", drawn].includes(nameOf(window.location.pathname));

  /* If another page was drawn last, a widget of it had answered after the person went on. */
  function settle() {
    const app = document.querySelector(`[${STATE}]`);
    if (!app || app.getAttribute(STATE) !== "notRunning") return;
    asked = null;
    if (!isAnotherDrawn() || isAskedAgain) return; /* if asked again: there is no such page */
    ask();
    isAskedAgain = true;
  }

  new MutationObserver(() => {
    clearTimeout(settling);
    settling = setTimeout(settle, SETTLED_MS);
  }).observe(document, { subtree: true, attributeFilter: [STATE] });

  /* With Ctrl or Shift, the browser opens another tab or window. */
  document.addEventListener(
    "click",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const link = /** @type {HTMLAnchorElement} */ (target.closest(LINK));
      if (!link) return;
      event.stopPropagation();
      if (!page.isPlain(event)) return;
      event.preventDefault();
      page.go(link.href);
    },
    true
  );
})();
