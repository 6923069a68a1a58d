/* A file holds what is on the screen. A click on a link to a file waits until the link is that of the
   rows on the screen, which the grid shows a moment before the page has drawn the link. So does Copy
   link, a button whose link the page makes of the view that it knows. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const FILES = 'a:is([href*="/export/"], [href*="/vouchers?"]), .st-key-copy_link button';
  const TYPED_MS = 400; /* by then a box of the page has sent what was typed, and the page runs */
  const LOOK_MS = 30;
  const PATIENCE_MS = 4000; /* then the link is followed as it is: the file says what it holds */
  let typedAt = -Infinity;
  const held = new Set(); /* the names of links that were clicked and wait */
  let goesOn = /** @type {Element | null} */ (null);

  /* The page runs, and has not drawn the link in this run. */
  const isOld = (link) =>
    link
      ? Boolean(link.closest('[data-stale="true"]'))
      : !document.querySelector('[data-test-script-state="notRunning"]');

  function isGridAhead() {
    const frames = /** @type {HTMLIFrameElement[]} */ (
      Array.from(document.querySelectorAll('iframe[title^="st_aggrid"]'))
    );
    return frames.some(({ contentWindow }) => {
      const desk = contentWindow && contentWindow.orderDesk;
      return Boolean(desk && desk.api() && desk.isAhead());
    });
  }

  const isEarly = (link) =>
    performance.now() - typedAt < TYPED_MS || isOld(link) || isGridAhead();

  /* The same link or button, or the one that the page has drawn in its place. */
  const again = (link, name) =>
    link && link.isConnected
      ? link
      : Array.from(document.querySelectorAll(FILES)).find((one) => one.textContent === name);

  /* Follow the link once it is that of the rows. If no row is left, there is no link. */
  async function hold(link, name, event) {
    const end = performance.now() + PATIENCE_MS;
    held.add(name);
    while (isEarly(link) && performance.now() < end) {
      if (link) link.setAttribute("aria-busy", "true");
      page.hear();
      await new Promise((done) => setTimeout(done, LOOK_MS));
      link = again(link, name);
    }
    held.delete(name);
    if (!link) return;
    link.removeAttribute("aria-busy");
    goesOn = link;
    link.dispatchEvent(new MouseEvent("click", event));
  }

  document.addEventListener("input", () => (typedAt = performance.now()), true);

  /* A key on the link is a click too. However often it is clicked meanwhile, it is followed once. */
  document.addEventListener(
    "click",
    (event) => {
      const link = /** @type {HTMLElement} */ (event.target).closest(FILES);
      if (!link) return;
      if (link === goesOn) return void (goesOn = null);
      const name = link.textContent;
      if (!held.has(name) && !isEarly(link)) return;
      event.preventDefault();
      event.stopPropagation();
      if (!held.has(name)) hold(link, name, event);
    },
    true
  );
})();
