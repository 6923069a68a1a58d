/* The browser half of the grid. Runs inside the component's frame, from the same origin, so it
   fetches its rows from POST /rows/<table> itself; the page learns the view, never the rows.
   Texts are set as textContent only: a row's value is never markup. */
window.orderDesk = (function () {
  "use strict";
  const RETRY_MS = 2000;
  const RENEW_MS = 8000;
  const SAY_AGAIN_MS = [0, 2000, 6000, 15000];
  const here = window.location.pathname; // <base path>/component/<this one>/index.html
  const base = here.slice(0, here.lastIndexOf("/component/"));
  const desk = /** @type {OrderDesk} */ ({});
  let config = /** @type {Config} */ (null); // what the page said: table, token, revision, view
  let api = /** @type {Api} */ (null);
  let renewals = 0;
  let filtersAsked = null;

  function decode(text) {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
  }

  /* Native parts, such as the calendar of a date input, follow the page's theme, not the system's. */
  function matchScheme() {
    const root = document.documentElement;
    const colour = getComputedStyle(root).getPropertyValue("--background-color").trim();
    const parts = (colour.match(/[0-9a-f]{2}/gi) || []).map((part) => parseInt(part, 16));
    root.style.colorScheme = parts.length === 3 && Math.max(...parts) < 128 ? "dark" : "light";
  }

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  /* The page calls this on every change of what it has to say; a newer revision is a view that a
     widget or the address asks for, which the grid takes over; and so with the selection. */
  desk.configure = function (text) {
    const before = config;
    config = decode(text);
    desk.selectAsTold(before);
    if (!api || !before) return {};
    if (config.data > before.data) setTimeout(() => api.refreshInfiniteCache(), 0);
    if (config.revision > before.revision) setTimeout(() => desk.applyView(before), 0);
    /* A page that began anew, as after a restart of the server, has to learn what is shown here. */
    else if (config.token !== before.token) setTimeout(desk.sayAgain, 0);
    return {};
  };

  desk.config = () => config;
  desk.api = () => api;
  desk.base = base;
  desk.always = () => true;

  desk.onGridReady = function (event) {
    api = event.api;
    const grid = document.querySelector("[role=grid], [role=treegrid]");
    if (grid) grid.setAttribute("aria-label", config.title);
    desk.fit();
    keepTheme(api.getGridOption("theme"));
  };

  /* The component loses our theme when the page turns dark or light, of which it is told so. */
  function keepTheme(theme) {
    const restore = () => {
      if (api.getGridOption("theme") !== theme) api.setGridOption("theme", theme);
      matchScheme();
    };
    window.addEventListener("message", () => [50, 500].forEach((ms) => setTimeout(restore, ms)));
  }

  /* What the page learns whenever view or selection changes, or the token has to be renewed. */
  desk.answer = function () {
    return {
      revision: config.revision,
      renewals,
      view: { filters: api.getFilterModel(), sort: desk.sort(), columns: desk.columns() },
      selectionRevision: config.selection.revision,
      selected: desk.selected(),
    };
  };

  desk.notify = function (sentence) {
    let notice = document.getElementById("orderDeskNotice");
    if (!notice) {
      notice = document.createElement("div");
      notice.id = "orderDeskNotice";
      notice.setAttribute("role", "alert");
      document.body.appendChild(notice);
    }
    notice.textContent = sentence || "";
    notice.hidden = !sentence;
  };

  /* What a screen reader says, without taking the focus. */
  desk.announce = function (sentence) {
    let live = document.getElementById("orderDeskLive");
    if (!live) {
      live = document.createElement("div");
      live.id = "orderDeskLive";
      live.setAttribute("role", "status");
      document.body.appendChild(live);
    }
    live.textContent = sentence;
  };

  async function post(question) {
    try {
      return await fetch(`${base}/rows/${config.table}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${config.token}` },
        body: JSON.stringify(question),
      });
    } catch (error) {
      return null; // the server does not answer at all
    }
  }

  desk.sayAgain = () => api.dispatchEvent({ type: "orderDeskSay" });

  async function renewToken() {
    const old = config.token;
    renewals += 1;
    desk.sayAgain();
    for (let waited = 0; waited < RENEW_MS && config.token === old; waited += 100) await pause(100);
    return config.token !== old;
  }

  /* Ask until there is an answer: an unreachable server or database is asked again, a token that
     is too old is renewed once, any other refusal is said. `isWanted` ends the asking. */
  desk.ask = async function (question, isWanted) {
    let hasRenewed = false;
    let wasServerGone = false;
    while (!isWanted || isWanted()) {
      const response = await post(question);
      if (response && response.ok) {
        desk.notify(null);
        /* The page's own connection comes back a little later, and says nothing when it does. */
        if (wasServerGone) SAY_AGAIN_MS.forEach((ms) => setTimeout(desk.sayAgain, ms));
        return response.json();
      }
      if (!response || response.status === 503) {
        wasServerGone = wasServerGone || !response;
        desk.notify(
          response
            ? "The database cannot be reached. Trying again …"
            : "The server cannot be reached. Trying again …"
        );
        await pause(RETRY_MS);
      } else if (response.status === 401 && !hasRenewed && api) {
        hasRenewed = true;
        await renewToken();
      } else {
        const refusal = await response.json().catch(() => ({}));
        const sentence = refusal.error || "The rows could not be loaded.";
        desk.notify(response.status === 401 ? `${sentence} Reload this page.` : sentence);
        throw new Error(sentence);
      }
    }
    throw new Error("no longer wanted");
  };

  /* A view as it is asked of the server: the grid's filters, and what the page keeps. */
  desk.asked = function (filters, sort) {
    const { zone, search, ids } = config.view;
    return { filters, sort, zone, search: search || "", ids: ids || [] };
  };
  desk.currentFilters = () => (api ? api.getFilterModel() : config.view.filters);

  /* The count follows the first rows, never holds them up; it gives the scroll bar its length. */
  async function showCount(view, isWanted) {
    const { count } = await desk.ask({ view, count: true }, isWanted);
    if (!isWanted()) return;
    if (api) api.setRowCount(count, true);
    desk.announce(`${count.toLocaleString("en")} ${config.many}`);
  }

  /* A function, since objects among the options are applied anew, and fetched from, whenever the
     page has anything to say. */
  desk.datasource = Object.assign(() => {}, {
    getRows(params) {
      matchScheme();
      const view = desk.asked(params.filterModel, params.sortModel);
      const asked = JSON.stringify(view);
      if (params.startRow === 0) filtersAsked = asked;
      const isWanted = () => filtersAsked === asked;
      desk
        .ask({ view, start: params.startRow, end: params.endRow }, isWanted)
        .then(({ rows, last }) => {
          params.successCallback(rows, last === null ? undefined : last);
          desk.tickRows();
          if (params.startRow !== 0 || !isWanted()) return;
          desk.returnToPlace();
          if (api) rows.length ? api.hideOverlay() : api.showNoRowsOverlay();
          document.body.dataset.rows = "shown";
          if (last === null) showCount(view, isWanted).catch(() => {});
          else desk.announce(`${last.toLocaleString("en")} ${config.many}`);
        })
        .catch(() => params.failCallback());
    },
  });

  /* A value that its column cuts short is whole in the tooltip; 7.5 px is a wide letter. */
  desk.tooltip = function ({ value, column }) {
    const text = value === null || value === undefined ? "" : String(value);
    return text.length * 7.5 > column.getActualWidth() - 28 ? text.slice(0, 2000) : null;
  };

  desk.rowId = (params) => String(params.data[config.key]);

  return desk;
})();
