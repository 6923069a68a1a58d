/* The search over everything: Ctrl+K or /. The server finds the rows that the person may see; pages are
   found here. Texts are set as textContent only, so a row's value is never markup. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const DEBOUNCE_MS = 120;
  const NOTE = "Type three letters or more of an ID, name, voucher code or e-mail address.";
  const byId = (id) => document.getElementById(id);
  let box = /** @type {HTMLInputElement} */ (null);
  let hits = /** @type {Hit[]} */ ([]);
  let at = 0; /* the hit that Enter opens */
  let timer = null;
  let asking = /** @type {AbortController} */ (null);

  const words = () => box.value.trim().toLowerCase().split(/\s+/).filter(Boolean);

  function foundPages() {
    const hits = page
      .pages()
      .filter(({ name }) => words().every((word) => name.toLowerCase().includes(word)))
      .map(({ name, address }) => ({ title: name, detail: "", match: "", address }));
    return hits.length ? [{ kind: "Pages", count: "", hits }] : [];
  }

  async function ask(text, signal) {
    const answer = await fetch(`${page.base}search`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: `Bearer ${page.searchToken()}`,
      },
      body: JSON.stringify({ text }),
      signal,
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    return /** @type {HitGroup[]} */ (said.groups);
  }

  /* Pages show at once, rows when they come; an answer to an older text is dropped. */
  function search() {
    clearTimeout(timer);
    if (asking) asking.abort();
    const text = box.value.trim();
    const pages = foundPages();
    if (words().every((word) => [...word].length < 3)) return show(pages, NOTE);
    show(pages, "Searching…");
    const mine = (asking = new AbortController());
    timer = setTimeout(async () => {
      try {
        const rows = await ask(text, mine.signal);
        if (mine.signal.aborted) return;
        const found = [...rows, ...pages];
        show(found, found.length ? "↑ ↓ to choose, Enter to open, Esc to close" : "Nothing found.");
      } catch (error) {
        if (mine.signal.aborted) return;
        show(pages, error instanceof TypeError ? "The server cannot be reached." : error.message);
      }
    }, DEBOUNCE_MS);
  }

  function element(name, text, attributes) {
    const one = document.createElement(name);
    if (text) one.textContent = text;
    for (const [key, value] of Object.entries(attributes || {})) one.setAttribute(key, value);
    return one;
  }

  function show(groups, note) {
    hits = groups.flatMap((one) => one.hits);
    at = 0;
    byId("deskHits").replaceChildren(...groups.map(group));
    byId("deskSearchNote").textContent = note;
    box.setAttribute("aria-expanded", String(hits.length > 0));
    mark();
  }

  /* A kind: its name, how many of how many are shown, and its hits. */
  function group({ kind, count, hits: own }, index) {
    const one = element("div", "", { role: "group", "aria-label": kind });
    const heading = element("span", kind, { "aria-hidden": "true" });
    if (count) {
      one.setAttribute("aria-describedby", `deskCount${index}`);
      heading.append(element("small", count, { id: `deskCount${index}` }));
    }
    one.append(heading, ...own.map((hit) => option(hit, hits.indexOf(hit))));
    return one;
  }

  function option(hit, index) {
    const one = element("a", "", { role: "option", id: `deskHit${index}`, href: hit.address, tabindex: "-1" });
    one.append(element("span", hit.title), element("span", hit.detail));
    if (hit.match) one.append(element("small", hit.match));
    one.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      open(hit);
    });
    return one;
  }

  function mark() {
    for (const one of document.querySelectorAll("#deskHits [role=option]")) {
      one.setAttribute("aria-selected", String(one.id === `deskHit${at}`));
    }
    const marked = byId(`deskHit${at}`);
    if (marked) {
      box.setAttribute("aria-activedescendant", marked.id);
      marked.scrollIntoView({ block: "nearest" });
    } else box.removeAttribute("aria-activedescendant");
  }

  const dialog = () => /** @type {HTMLDialogElement} */ (byId("deskSearch"));

  function open(hit) {
    dialog().close();
    page.go(hit.address);
  }

  function onKey(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves && hits.length) at = (at + moves[event.key] + hits.length) % hits.length;
    else if (event.key === "Enter" && hits[at]) open(hits[at]);
    else if (event.key === "Escape") dialog().close(); /* else the box is emptied first */
    else return;
    event.preventDefault();
    mark();
  }

  document.addEventListener("DOMContentLoaded", () => {
    box = /** @type {HTMLInputElement} */ (byId("deskSearchBox"));
    box.addEventListener("input", search);
    box.addEventListener("keydown", onKey);
  });

  page.onSearch = function () {
    box.select();
    search();
  };
})();
