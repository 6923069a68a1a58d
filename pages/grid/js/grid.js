/* The browser side of the grid. It runs inside the component's frame, on the same origin, and
   fetches its rows from POST /rows/<table> itself. The page gets the view, never the rows.
   Texts are set as textContent only, so a row's value is never markup. */
window.orderDesk = (function () {
  "use strict";
  const RETRY_MS = 2000;
  const DEBOUNCE_MS = 200;
  const RENEW_MS = 8000;
  const REPEAT_ANSWER_MS = [0, 2000, 6000, 15000];
  const BUSY_MS = 200;
  const BUSY = '[data-testid="stDialog"], [data-test-script-state="running"]';
  const here = window.location.pathname; // <base path>/component/<this one>/index.html
  const base = here.slice(0, here.lastIndexOf("/component/"));
  const desk = /** @type {OrderDesk} */ ({});
  let config = /** @type {Config} */ (null); // from the page: table, token, revision, view
  let api = /** @type {Api} */ (null);
  let renewals = 0;
  let filtersAsked = null;
  let isLoading = true; // the first rows of the view
  let first = /** @type {First} */ (null); // the first rows, asked for before there is a grid

  /* The component hands the grid an empty list of rows, which a grid that fetches its rows does not
     take: it says so twice, and nothing is wrong. */
  for (const kind of ["error", "warn"]) {
    const say = console[kind].bind(console);
    console[kind] = (...said) => /\browData\b/.test(said.join(" ")) || say(...said);
  }

  function decode(text) {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
  }

  /* Native controls, such as a date input's calendar, follow the page's theme, not the system's. */
  function matchScheme() {
    const root = document.documentElement;
    const colour = getComputedStyle(root).getPropertyValue("--background-color").trim();
    const parts = (colour.match(/[0-9a-f]{2}/gi) || []).map((part) => parseInt(part, 16));
    root.style.colorScheme = parts.length === 3 && Math.max(...parts) < 128 ? "dark" : "light";
  }

  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

  /* The page calls this whenever its configuration changes. A newer revision brings a view of a
     widget or of the address, which the grid applies. The same holds for the selection. */
  desk.configure = function (text) {
    const before = config;
    config = decode(text);
    desk.applySelection(before);
    if (!before) {
      desk.noteFirst(config);
      askForFirstRows();
    }
    desk.takeLink(before);
    if (!api || !before) return {};
    if (config.data > before.data) setTimeout(desk.reload, 0);
    if (config.revision > before.revision) setTimeout(() => desk.applyView(before), 0);
    /* A new session, for example after a restart of the server, needs the current view. */
    else if (config.token !== before.token) setTimeout(tellAgain, 0);
    return {};
  };

  /* The server looks for the rows while the browser makes the grid. */
  function askForFirstRows() {
    const view = desk.asked(config.view.filters, config.view.sort);
    const response = post({ view, start: 0, end: config.block });
    first = { asked: desk.textOf(view), end: config.block, response };
  }

  /* The answer on its way, once, if the grid asks for the same rows. */
  function takeFirst(asked, end) {
    const { response } = first && first.asked === asked && first.end === end ? first : {};
    first = null;
    return response;
  }

  desk.config = () => config;
  desk.api = () => api;
  desk.base = base;
  desk.isLoading = () => isLoading;

  desk.onGridReady = function (event) {
    api = event.api;
    const grid = document.querySelector("[role=grid], [role=treegrid]");
    if (grid) grid.setAttribute("aria-label", config.title);
    desk.fit();
    /* Keys of the page count in the frame too, and a click there is heard. */
    document.addEventListener("keydown", window.parent.orderDeskPage.onKey);
    keepTheme(api.getGridOption("theme"));
    api.addEventListener("filterChanged", desk.hasNews);
    api.addEventListener("sortChanged", desk.hasNews);
  };

  /* Arrows go from cell to cell. Tab leaves the table: a thousand rows would hold it for good. */
  desk.leaveByTab = function ({ backwards, previousCellPosition }) {
    if (backwards) api.setFocusedHeader(previousCellPosition.column, true);
    else setTimeout(focusBelow); /* the grid focuses the cell first */
    return true;
  };

  function focusBelow() {
    const reached = "a[href], button:not(:disabled), input, iframe, [tabindex='0']";
    const all = Array.from(window.parent.document.querySelectorAll(reached));
    const seen = all.filter((one) => one.getClientRects().length);
    const next = seen[seen.indexOf(window.frameElement) + 1] || seen[0];
    /** @type {HTMLElement} */ (next).focus();
  }

  /* The component loses our theme when a message tells it that the page turns dark or light. */
  function keepTheme(theme) {
    const restore = () => {
      if (api.getGridOption("theme") !== theme) api.setGridOption("theme", theme);
      matchScheme();
    };
    window.addEventListener("message", () => [50, 500].forEach((ms) => setTimeout(restore, ms)));
  }

  /* The answer to the page, sent when view or selection changes or the token must be renewed. */
  desk.answer = function () {
    return {
      number: desk.numberAnswer(),
      revision: config.revision,
      renewals,
      view: { filters: api.getFilterModel(), sort: desk.sort(), columns: desk.columns() },
      selectionRevision: config.selection.revision,
      selected: desk.selected(),
    };
  };

  async function post(question) {
    try {
      return await fetch(`${base}/rows/${config.table}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${config.token}` },
        body: JSON.stringify(question),
      });
    } catch (error) {
      return null; // the server cannot be reached
    }
  }

  desk.sendAnswer = () => api.dispatchEvent({ type: "orderDeskAnswer" });

  /* Tell the page what the grid shows, once nothing is open there that it would close. */
  function tellAgain() {
    if (window.parent.document.querySelector(BUSY)) setTimeout(tellAgain, BUSY_MS);
    else if (!desk.isKnown()) desk.sendAnswer();
  }

  async function renewToken() {
    const old = config.token;
    renewals += 1;
    desk.sendAnswer();
    for (let waited = 0; waited < RENEW_MS && config.token === old; waited += 100) await pause(100);
    return config.token !== old;
  }

  /* Send a request until it is answered: retry while server or database cannot be reached, renew
     an expired token once, and show any other refusal. `isWanted` stops the retries; `sent` is the
     response on its way. */
  desk.ask = async function (question, isWanted, sent) {
    let hasRenewed = false;
    let wasServerGone = false;
    while (!isWanted || isWanted()) {
      const response = await (sent || post(question));
      sent = null;
      if (response && response.ok) {
        desk.notify(null);
        /* The page's own connection comes back a little later, without an event. */
        if (wasServerGone) REPEAT_ANSWER_MS.forEach((ms) => setTimeout(tellAgain, ms));
        return response.json();
      }
      if (!response || response.status === 503) {
        wasServerGone = wasServerGone || !response;
        desk.notify(
          response
            ? "The database cannot be reached. Retrying…"
            : "The server cannot be reached. Retrying…"
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

  /* The view of a request to the server: the grid's filters, and the page's search, IDs, keys, zone. */
  desk.asked = function (filters, sort) {
    const { zone, search, ids, keys } = config.view;
    return { filters, sort, zone, search: search || "", ids: ids || [], ...(keys && { keys }) };
  };

  /* The grid lists filters in the order in which they were set; that order does not matter. */
  const inOrder = (_, value) =>
    value && value.constructor === Object
      ? Object.fromEntries(Object.entries(value).filter((one) => one[1] !== null).sort())
      : value;
  desk.textOf = (view) => JSON.stringify(view, inOrder);
  desk.currentFilters = () => (api ? api.getFilterModel() : config.view.filters);

  /* The count comes after the first rows and sets the length of the scroll bar. */
  async function showCount(view, isWanted) {
    const { count } = await desk.ask({ view, count: true }, isWanted);
    if (!isWanted()) return;
    if (api) api.setRowCount(count, true);
    desk.announce(`${count.toLocaleString("en")} ${config.many}`);
  }

  /* A function, because an object in the options would be applied and fetched from again at
     every message of the page. */
  desk.datasource = Object.assign(() => {}, {
    getRows(params) {
      matchScheme();
      const view = desk.asked(params.filterModel, params.sortModel);
      const asked = desk.textOf(view);
      if (params.startRow === 0) [filtersAsked, isLoading] = [asked, true];
      const isWanted = () => filtersAsked === asked;
      const sent = params.startRow === 0 ? takeFirst(asked, params.endRow) : null;
      desk
        .ask({ view, start: params.startRow, end: params.endRow }, isWanted, sent)
        .then(({ rows, last }) => {
          desk.markChanges(rows);
          params.successCallback(rows, last === null ? undefined : last);
          desk.drawSelection();
          if (params.startRow !== 0 || !isWanted()) return;
          isLoading = false;
          desk.returnToPlace();
          if (api) api.hideOverlay(); /* another one says which filters there are now */
          if (api && !rows.length) api.showNoRowsOverlay();
          document.body.dataset.rows = "shown";
          if (last === null) showCount(view, isWanted).catch(() => {});
          else desk.announce(`${last.toLocaleString("en")} ${config.many}`);
        })
        .catch(() => {
          if (isWanted()) isLoading = false;
          params.failCallback();
        });
    },
  });

  /* A text as the screen shows it: the characters that change its direction are visible. Keys, links
     and copies have the text itself. */
  desk.shown = (text) => Array.from(text, (one) => config.controls[one] || one).join("");
  desk.formatText = ({ value }) => (value ? desk.shown(String(value)) : "");

  /* A value that is wider than its column has a tooltip; 7.5 px is the width of a wide letter. */
  desk.tooltip = function ({ value, valueFormatted, column, data }) {
    const text = value === null || value === undefined ? "" : String(valueFormatted || value);
    const { name } = column.getColDef().cellRendererParams || {};
    if (text && data && data[name]) return `${text} · ${desk.shown(data[name])}`;
    return text.length * 7.5 > column.getActualWidth() - 28 ? text.slice(0, 2000) : null;
  };

  /** @type {OrderDesk["element"]} */
  desk.element = function (tag, className, text) {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };

  /* Act once a person has stopped typing. */
  desk.debounce = function (act) {
    let timer = null;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(act, DEBOUNCE_MS);
    };
  };

  desk.rowId = (params) => String(params.data[config.key]);

  return desk;
})();
