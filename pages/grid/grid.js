/* The browser half of the grid. Runs inside the component's frame, from the same origin, so it
   fetches its rows from POST /rows/<table> itself; the page learns the view, never the rows.
   Texts are set as textContent only: a row's value is never markup. */
window.orderDesk = (function () {
  "use strict";
  const RETRY_MS = 2000;
  const RENEW_MS = 8000;
  const SAY_AGAIN_MS = [0, 2000, 6000, 15000];
  const base = window.location.pathname.split("/component/")[0];
  const desk = {};
  let config = null; // what the page said: table, token, revision, view
  let api = null;
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
     button or the address asks for, which the grid takes over. */
  desk.configure = function (text) {
    const before = config;
    config = decode(text);
    if (!api || !before) return {};
    if (config.revision > before.revision) setTimeout(applyView, 0);
    /* A page that began anew, as after a restart of the server, has to learn what is shown here. */
    else if (config.token !== before.token) setTimeout(sayAgain, 0);
    return {};
  };

  desk.initialState = function () {
    const { view, hidden } = config;
    return {
      partialColumnState: true,
      filter: { filterModel: view.filters },
      sort: { sortModel: view.sort },
      columnOrder: { orderedColIds: view.columns.concat(hidden) },
      columnVisibility: { hiddenColIds: hidden },
    };
  };

  function applyView() {
    const { view, hidden } = config;
    const sorted = new Map(view.sort.map((one, index) => [one.colId, [one.sort, index]]));
    const state = view.columns.concat(hidden).map((colId) => {
      const [sort, sortIndex] = sorted.get(colId) || [null, null];
      return { colId, hide: hidden.includes(colId), sort, sortIndex };
    });
    api.applyColumnState({ state, applyOrder: true });
    api.setFilterModel(view.filters);
  }

  desk.onGridReady = function (event) {
    api = event.api;
  };

  /* What the page learns whenever the view changes, or the token has to be renewed. */
  desk.answer = function () {
    const columns = api.getColumnState();
    const sort = columns
      .filter((one) => one.sort)
      .sort((a, b) => a.sortIndex - b.sortIndex)
      .map((one) => ({ colId: one.colId, sort: one.sort }));
    return {
      revision: config.revision,
      renewals,
      view: {
        filters: api.getFilterModel(),
        sort,
        columns: columns.filter((one) => !one.hide).map((one) => one.colId),
        zone: config.view.zone,
      },
    };
  };

  function notify(sentence) {
    let notice = document.getElementById("orderDeskNotice");
    if (!notice) {
      notice = document.createElement("div");
      notice.id = "orderDeskNotice";
      notice.setAttribute("role", "alert");
      document.body.appendChild(notice);
    }
    notice.textContent = sentence || "";
    notice.hidden = !sentence;
  }

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

  function sayAgain() {
    api.dispatchEvent({ type: "orderDeskSay" });
  }

  async function renewToken() {
    const old = config.token;
    renewals += 1;
    sayAgain();
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
        notify(null);
        /* The page's own connection comes back a little later, and says nothing when it does. */
        if (wasServerGone) SAY_AGAIN_MS.forEach((ms) => setTimeout(sayAgain, ms));
        return response.json();
      }
      if (!response || response.status === 503) {
        wasServerGone = wasServerGone || !response;
        notify(
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
        notify(response.status === 401 ? `${sentence} Reload this page.` : sentence);
        throw new Error(sentence);
      }
    }
    throw new Error("no longer wanted");
  };

  desk.currentFilters = () => (api ? api.getFilterModel() : config.view.filters);
  desk.zone = () => config.view.zone;

  /* The count follows the first rows, never holds them up; it gives the scroll bar its length. */
  async function showCount(view, isWanted) {
    const { count } = await desk.ask({ view, count: true }, isWanted);
    if (api && isWanted()) api.setRowCount(count, true);
  }

  desk.datasource = {
    getRows(params) {
      matchScheme();
      const view = { filters: params.filterModel, sort: params.sortModel, zone: config.view.zone };
      const asked = JSON.stringify(view);
      if (params.startRow === 0) filtersAsked = asked;
      const isWanted = () => filtersAsked === asked;
      desk
        .ask({ view, start: params.startRow, end: params.endRow }, isWanted)
        .then(({ rows, last }) => {
          params.successCallback(rows, last === null ? undefined : last);
          if (params.startRow !== 0 || !isWanted()) return;
          if (api) rows.length ? api.hideOverlay() : api.showNoRowsOverlay();
          document.body.dataset.rows = "shown";
          if (last === null) showCount(view, isWanted).catch(() => {});
        })
        .catch(() => params.failCallback());
    },
  };

  /* A value that its column cuts short is whole in the tooltip; 7.5 px is a wide letter. */
  desk.tooltip = function ({ value, column }) {
    const text = value === null || value === undefined ? "" : String(value);
    return text.length * 7.5 > column.getActualWidth() - 28 ? text.slice(0, 2000) : null;
  };

  desk.rowId = (params) => String(params.data[config.key]);

  return desk;
})();
