/* The pages in the header: in one line as many as fit, and the others in a menu. On a phone, all are in
   the menu. The first page and the open one stay in the line. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const root = document.documentElement;
  const SPACE = 12; /* pixels between the pages and the person */
  const line = () => document.querySelector(".st-key-navigation");
  const linkIn = (item) => /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
  const items = () => (line() ? Array.from(line().children).filter(linkIn) : []);
  const nameOf = (item) => linkIn(item).textContent.trim();
  const isOpen = (item) => linkIn(item).pathname === window.location.pathname;
  const isTucked = (item) => item.hasAttribute("data-tucked");

  page.pages = () =>
    items().map((item) => ({ name: nameOf(item), address: linkIn(item).href }));

  /* What the fit depends on, and whether it is still as it was made: Streamlit may draw items anew. */
  function state(who) {
    const each = items().map((item) => [item.getBoundingClientRect().width, isTucked(item)]);
    return [window.innerWidth, window.location.pathname, who.textContent, ...each].join();
  }

  let fitted = "";
  page.fitPages = function () {
    const who = document.querySelector(".st-key-who");
    const more = line() && line().querySelector(":scope > :has([data-more])");
    if (!who || !more || !items().length || state(who) === fitted) return;
    fitAgain(who, more);
    fitted = state(who);
  };

  /* The words beside the counts and the name of the person yield before a page does. */
  function fitAgain(who, more) {
    const [first, ...others] = items();
    const { left } = first.getBoundingClientRect();
    const room = () => who.getBoundingClientRect().left - SPACE - left;
    for (const due of who.querySelectorAll("a:has(p)")) {
      due.dataset.count = due.querySelector("p").textContent.split(" ")[0];
    }
    root.classList.toggle("deskShort", page.isPhone());
    if (!page.fits(line(), items(), room())) root.classList.add("deskShort");
    const yielding = others.filter((item) => !isOpen(item)).reverse();
    const tucked = page.tuck(line(), items(), yielding, room(), more);
    more.toggleAttribute("data-spare", !tucked.size);
    more.querySelector("[data-more]").popoverTargetElement = menu();
  }

  const menu = () => document.getElementById("deskPages");

  const opener = () =>
    /** @type {HTMLElement} */ (
      page.isPhone()
        ? document.getElementById("deskPagesButton")
        : document.querySelector("[data-more]")
    );

  function linkTo(item) {
    const link = document.createElement("a");
    link.href = linkIn(item).href;
    link.textContent = nameOf(item);
    link.dataset.goes = "";
    if (isOpen(item)) link.setAttribute("aria-current", "page");
    return link;
  }

  function open() {
    menu().replaceChildren(...items().filter((item) => page.isPhone() || isTucked(item)).map(linkTo));
    menu().style.left = page.isPhone() ? "" : `${opener().getBoundingClientRect().left}px`;
  }

  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !menu().matches(":popover-open")) return;
    menu().hidePopover();
    opener().focus();
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(menu()); /* the link to the content stays the first of the page */
    menu().addEventListener("beforetoggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") open();
    });
  });

  /* A link leads to a page without loading it anew: see address.js. */
  window.addEventListener("popstate", () => menu().hidePopover());
})();
