/* What Streamlit leaves out for people who use a keyboard or a screen reader. */
(function () {
  "use strict";
  const BUTTON = "[data-testid=stPopoverButton]";
  const sections = document.getElementsByTagName("section");
  const toasts = document.getElementsByClassName("stToast");
  let opener = /** @type {Element} */ (null); /* the button that a key is just opening */

  /* Its upload box is presentational, although it has a name and takes the focus. */
  function nameUploadBoxes() {
    for (const one of sections) {
      if (one.getAttribute("role") === "presentation") one.setAttribute("role", "group");
    }
  }

  /* Its toasts are named after an element that is not there. */
  function nameToasts() {
    for (const one of toasts) {
      const words = one.querySelector("[data-testid=stToastText]");
      if (!words || !one.hasAttribute("aria-labelledby")) continue;
      one.removeAttribute("aria-labelledby");
      one.setAttribute("aria-label", words.textContent);
    }
  }

  /* It makes links of e-mail addresses, also in what opens by a click, where no link may be. */
  function unlinkAddresses() {
    const links = document.querySelectorAll('summary a[href^="mailto:"]');
    for (const one of links) one.removeAttribute("href");
  }

  /* What lies over the page is no part of it. */
  function nameOverlay() {
    const overlay = document.getElementById("stFloatingOverlayPortal");
    if (!overlay || overlay.hasAttribute("role")) return;
    overlay.setAttribute("role", "region");
    overlay.setAttribute("aria-label", "Over the page");
  }

  /* The content of a popover stands at the end of the page, and the focus stays on its button: Tab
     would go through the whole table first. */
  function enterPopover() {
    const body = /** @type {HTMLElement} */ (
      opener && document.querySelector("[data-testid=stPopoverBody]")
    );
    if (!body) return;
    opener = null;
    body.tabIndex = -1;
    body.focus();
  }

  document.addEventListener(
    "keydown",
    ({ key, target }) => {
      const button = /** @type {Element} */ (target).closest(BUTTON);
      const opens = button && button.getAttribute("aria-expanded") !== "true";
      opener = opens && (key === "Enter" || key === " ") ? button : null;
    },
    true
  );
  document.addEventListener("pointerdown", () => (opener = null), true);

  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => {
      nameUploadBoxes();
      nameOverlay();
      nameToasts();
      unlinkAddresses();
      enterPopover();
    }).observe(document.body, { childList: true, subtree: true });
  });
})();
