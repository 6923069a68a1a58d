/* Copy link, a button of the page. A browser lets only a click write to the clipboard, so the click
   is heard here, and the text follows when the page has made the link. Until then other clicks are
   the same one: files.js repeats a click that it has held. */
(function () {
  "use strict";
  const desk = window.orderDesk;
  const BUTTON = ".st-key-copy_link button";
  const LINK_MS = 10000;
  const page = window.parent;
  let arrive = /** @type {((address: string) => void) | null} */ (null);

  /* The page has a new link to the view, if its number is another. */
  desk.takeLink = function (before) {
    const [number, id] = desk.config().link;
    if (!before || before.link[0] === number) return;
    const { origin } = page.location;
    if (arrive) arrive(`${origin}${desk.base}/${desk.config().table}?saved=${encodeURIComponent(id)}`);
    arrive = null;
  };

  async function copy() {
    const address = new Promise((resolve, reject) => {
      arrive = resolve;
      setTimeout(() => {
        if (arrive === resolve) arrive = null;
        reject(new Error("there is no link"));
      }, LINK_MS);
    });
    try {
      const blob = address.then((text) => new Blob([text], { type: "text/plain" }));
      await page.navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      desk.tell("Link copied");
    } catch (error) {
      const text = await address.catch(() => "");
      desk.notify(text ? `The browser blocked copying. The link is ${text}` : "The link could not be copied.");
    }
  }

  const listen = ({ target }) => !arrive && target.closest && target.closest(BUTTON) && copy();
  page.document.addEventListener("click", listen, true);
  window.addEventListener("pagehide", () => page.document.removeEventListener("click", listen, true));
})();
