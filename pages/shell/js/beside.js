/* From an order to the previous and the next one of the list that it was opened from. This tab keeps the
   view of the list; the address does not carry it. So an order that a plain link opens has no such links.
   The server finds the orders, and only those that the person may see. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const LISTS = "orderDesk.lists";
  const MAX_LISTS = 8;
  const MAX_ORDERS = 300; /* of a list */
  const WAYS = { previous: "M6 15l6-6l6 6", next: "M6 9l6 6l6-6" };
  let followed = ""; /* the link that the focus returns to on the next order */

  function lists() {
    try {
      return /** @type {List[]} */ (JSON.parse(sessionStorage.getItem(LISTS)) || []);
    } catch (error) {
      return []; /* storage is not allowed */
    }
  }

  /* An order was opened from a list with this view. */
  page.rememberList = function (id, view) {
    const text = JSON.stringify(view);
    const orders = [id];
    const others = [];
    for (const one of lists()) {
      const rest = one.orders.filter((order) => order !== id);
      if (one.view === text) orders.push(...rest);
      else others.push({ view: one.view, orders: rest });
    }
    const kept = [{ view: text, orders: orders.slice(0, MAX_ORDERS) }, ...others];
    try {
      sessionStorage.setItem(LISTS, JSON.stringify(kept.slice(0, MAX_LISTS)));
    } catch (error) {
      sessionStorage.removeItem(LISTS); /* it is full: better no links than those of another list */
    }
  };

  /* Both links have their place at once, so that nothing moves when the answer comes. */
  async function fill(nav) {
    const { beside, token } = nav.dataset;
    const list = lists().find((one) => one.orders.includes(beside));
    if (!list) return;
    nav.setAttribute("aria-label", "Orders of the list");
    nav.replaceChildren(...Object.keys(WAYS).map((way) => linkTo(way, null, list)));
    const found = await ask(list, beside, token);
    if (!nav.isConnected) return; /* the person has gone on */
    if (!found) return nav.replaceChildren();
    nav.replaceChildren(...Object.keys(WAYS).map((way) => linkTo(way, found[way], list)));
    const again = nav.querySelector(`[data-way="${followed}"]`);
    followed = "";
    if (again && document.activeElement === document.body) again.focus();
  }

  async function ask(list, beside, token) {
    try {
      const answer = await fetch(`${page.base}rows/orders`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
        body: `{"view": ${list.view}, "beside": ${JSON.stringify(beside)}}`,
      });
      return answer.ok ? await answer.json() : null;
    } catch (error) {
      return null; /* the server cannot be reached */
    }
  }

  function linkTo(way, /** @type {Neighbour} */ found, list) {
    const link = document.createElement("a");
    const words = found ? `${way} order of the list: ${found.shown}` : `no ${way} order in the list`;
    link.title = words[0].toUpperCase() + words.slice(1);
    link.setAttribute("aria-label", link.title);
    link.setAttribute("role", "link"); /* also without an address */
    link.dataset.way = way;
    const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    icon.setAttribute("viewBox", "0 0 24 24");
    icon.setAttribute("aria-hidden", "true");
    icon.append(document.createElementNS(icon.namespaceURI, "path"));
    icon.firstElementChild.setAttribute("d", WAYS[way]);
    link.append(icon);
    if (!found) {
      link.tabIndex = -1;
      link.setAttribute("aria-disabled", "true");
      return link;
    }
    link.href = addressOf(found.key);
    link.addEventListener("click", (event) => {
      if (!page.isPlain(event)) return;
      event.preventDefault();
      followed = way;
      page.rememberList(found.key, JSON.parse(list.view));
      page.go(addressOf(found.key));
    });
    return link;
  }

  /* The next order opens on the same tab. */
  function addressOf(id) {
    const tab = new URLSearchParams(window.location.search).get("tab");
    const asked = new URLSearchParams(tab ? { order: id, tab } : { order: id });
    return `${page.base}order?${asked}`;
  }

  /* Streamlit draws the place of the links, and draws it again for another order. */
  const asked = new WeakMap();
  new MutationObserver(() => {
    const nav = /** @type {HTMLElement} */ (document.querySelector("[data-beside]"));
    if (!nav || asked.get(nav) === nav.dataset.beside) return;
    asked.set(nav, nav.dataset.beside);
    fill(nav);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
