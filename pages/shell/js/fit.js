/* One line each: the pages in the header, and the strips above a table. What does not fit is tucked
   away until somebody asks for it: pages are behind *More*, tools behind *Tools*. What is tucked away
   keeps its width, so one look at the widths says what fits. */
(function () {
  "use strict";
  const page = window.orderDeskPage;
  const PHONE = 700; /* pixels; below, frame.css folds the strips, and the pages are a menu */
  /* What yields, first to last. What acts on the selected rows never does. */
  const OF_HEAD = ['[data-testid="stCaptionContainer"]', ".st-key-explained", 'a[href*="form=csv"]'];
  const OF_TOOLS = [
    ...[".st-key-explained", ".st-key-own_page"],
    ...['[class*="st-key-pasting_"]', '[class*="st-key-columns_"]', ".st-key-downloads"],
    ...['[class*="st-key-update_"]', '[class*="st-key-copy_"]', '[class*="st-key-views_"]'],
    ...['input[type="search"]', '[data-testid="stMarkdown"]'],
  ];
  const has = (one, selector) => one.matches(selector) || Boolean(one.querySelector(selector));
  const gapOf = (line) => parseFloat(getComputedStyle(line).columnGap) || 0;

  /* What shrinks, such as a search box, needs as little as its style allows. */
  function widthOf(one) {
    const { flexShrink, minWidth } = getComputedStyle(one);
    return flexShrink === "0" ? one.getBoundingClientRect().width : parseFloat(minWidth);
  }

  page.isPhone = () => window.innerWidth < PHONE;

  /* Whether the items of a line stand side by side in `room` pixels. */
  page.fits = (line, items, room) =>
    items.reduce((sum, one) => sum + widthOf(one) + gapOf(line), 0) <= room + gapOf(line);

  /* Tuck away the first of `yielding` until the other items fit into the room, beside the button that
     shows the rest; return what is tucked away. */
  page.tuck = function (line, items, yielding, room, button) {
    const tucked = new Set();
    const left = () => items.filter((one) => !tucked.has(one));
    const reserved = button && !page.fits(line, items, room) ? [button] : [];
    for (const one of yielding) {
      if (page.fits(line, [...left(), ...reserved], room)) break;
      tucked.add(one);
    }
    for (const one of items) one.toggleAttribute("data-tucked", tucked.has(one));
    return tucked;
  };

  /* The elements of a strip, and of the strips in it; not what fills the room, or is not shown. */
  function itemsOf(strip) {
    return /** @type {Element[]} */ (Array.from(strip.children)).flatMap((one) => {
      const inner = one.querySelector(":scope > :is(.st-key-head, .st-key-actions)");
      if (inner) return itemsOf(inner);
      const isShown = one.getClientRects().length > 0 && !has(one, ".stSpace, .st-key-fold");
      return isShown ? [one] : [];
    });
  }

  function tuckIn(strip, selectors, button) {
    const items = itemsOf(strip);
    const yielding = selectors.flatMap((selector) => items.filter((one) => has(one, selector)));
    /* What fills the room may have no width, but has its gap. */
    const room = strip.clientWidth - strip.querySelectorAll(".stSpace").length * gapOf(strip);
    return [...page.tuck(strip, items, new Set(yielding), room, button)];
  }

  /* The strips above a table. On the page of an order, the one strip has all. */
  function fitStrips(above) {
    const tools = above.querySelector(".st-key-tools");
    const head = above.querySelector(".st-key-head");
    const fold = tools && tools.querySelector(":scope > :has(.st-key-fold)");
    if (!fold) return;
    const tucked = head && !tools.contains(head) ? tuckIn(head, OF_HEAD, null) : [];
    tucked.push(...tuckIn(tools, OF_TOOLS, fold));
    fold.toggleAttribute("data-spare", !tucked.some((one) => has(one, "a, button, input")));
  }

  /* Once before the next picture, so that nothing is seen to move. */
  let isAsked = false;
  function ask() {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      page.fitPages();
      if (!page.isPhone()) document.querySelectorAll(".st-key-above").forEach(fitStrips);
    });
  }

  window.addEventListener("resize", ask);
  document.fonts.addEventListener("loadingdone", ask);
  const changes = { childList: true, characterData: true, subtree: true };
  new MutationObserver(ask).observe(document, changes);
})();
