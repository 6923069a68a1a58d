/* The browser side of the frame: where the server is, theme, menus, dialogs, and that a click was
   heard. It runs in the page itself, before Streamlit's scripts. */
window.orderDeskPage = (function () {
  "use strict";
  const THEMES = ["System", "Light", "Dark"];
  const THEME = "orderDesk.theme";
  /* Streamlit keeps a theme for each address; we copy ours there before it starts. */
  const STREAMLITS = `stActiveTheme-${window.location.pathname}-v2`;
  const HEARD_MS = 700; /* by then a run has begun, which draws the line itself */
  const base = new URL("./", window.location.href).href;
  const root = document.documentElement;
  const page = /** @type {OrderDeskPage} */ ({ base });

  /* Without it, Streamlit asks below every page's address first, and gets 404. */
  window.__streamlit = { BACKEND_BASE_URL: base };

  const byId = (id) => document.getElementById(id);

  page.theme = function () {
    try {
      const kept = localStorage.getItem(THEME);
      return THEMES.includes(kept) ? kept : "System";
    } catch (error) {
      return "System"; /* storage is not allowed */
    }
  };

  function showTheme() {
    const schemes = { System: "light dark", Light: "light", Dark: "dark" };
    root.style.colorScheme = schemes[page.theme()];
  }

  function keepTheme(name) {
    try {
      localStorage.setItem(THEME, name);
      localStorage.setItem(STREAMLITS, JSON.stringify(name));
    } catch (error) {
      /* the choice holds until the page is left */
    }
  }

  /* Streamlit's own menu, which is hidden, changes the theme at once. */
  function chooseTheme(name) {
    keepTheme(name);
    showTheme();
    const menu = /** @type {HTMLElement} */ (
      document.querySelector("[data-testid=stMainMenuButton], [data-testid=stMainMenu] button")
    );
    if (!menu) return window.location.reload();
    menu.click();
    return waitFor(`[data-testid="stMainMenuItem-theme-${name}"]`).then((item) => {
      if (!item) return window.location.reload();
      item.click();
      if (document.querySelector("[data-testid=stMainMenuPopover]")) menu.click();
    });
  }

  async function waitFor(selector) {
    for (let waited = 0; waited < 1000; waited += 20) {
      const found = /** @type {HTMLElement} */ (document.querySelector(selector));
      if (found) return found;
      await new Promise((done) => setTimeout(done, 20));
    }
    return null;
  }

  /* Go to an address of ours. Streamlit listens for popstate: this makes one history entry, without
     a round trip first. */
  page.go = function (address) {
    page.hear();
    window.history.pushState(null, "", address);
    window.dispatchEvent(new PopStateEvent("popstate"));
  };

  /* Show at once that a click was heard: the line at the top, until the page runs. */
  let heard = null;
  page.hear = function () {
    root.classList.add("deskHeard");
    clearTimeout(heard);
    heard = setTimeout(() => root.classList.remove("deskHeard"), HEARD_MS);
  };

  page.open = function (id) {
    const dialog = /** @type {HTMLDialogElement} */ (byId(id));
    if (document.querySelector("dialog[open], [role=dialog][aria-modal=true]")) return false;
    if (id === "deskSearch" && !page.searchToken()) return false; /* nobody is signed in */
    byId("deskMenu").hidePopover();
    dialog.showModal();
    if (id === "deskSearch") page.onSearch();
    return true;
  };

  page.searchToken = function () {
    const token = /** @type {HTMLElement} */ (document.querySelector("[data-search-token]"));
    return token ? token.dataset.searchToken : "";
  };

  /* The pages, in the header. On a narrow screen they are a menu. */
  function showPages(isOpen) {
    byId("deskPagesButton").setAttribute("aria-expanded", String(isOpen));
    root.classList.toggle("deskPagesOpen", isOpen);
  }
  const arePagesOpen = () => root.classList.contains("deskPagesOpen");

  page.pages = () =>
    Array.from(document.querySelectorAll(".st-key-navigation a"), (link) => ({
      name: link.textContent.trim(),
      address: /** @type {HTMLAnchorElement} */ (link).href,
    }));

  document.addEventListener(
    "click",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const button = target.closest("button, a[href], [role=option], [role=tab], label");
      if (button && button.closest("#root") && !button.closest("a[target=_blank]")) page.hear();
      const isPages = target.closest("#deskPagesButton");
      if (isPages) showPages(!arePagesOpen());
      else if (arePagesOpen()) showPages(false);
      const fold = target.closest("[data-folds]");
      if (fold) fold.setAttribute("aria-expanded", String(root.classList.toggle("deskUnfolded")));
      const opener = target.closest("[data-opens]");
      if (opener) page.open(opener.getAttribute("data-opens"));
      const dialog = /** @type {HTMLDialogElement} */ (target.closest("dialog"));
      /* The dialog itself is what lies around its content: its backdrop. */
      if (dialog && (target === dialog || target.closest("[data-closes]"))) dialog.close();
    },
    true
  );
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !arePagesOpen()) return;
    showPages(false);
    byId("deskPagesButton").focus();
  });

  /* Fonts for Chinese, Japanese and Korean; a link in the page would delay the first paint. */
  function loadMoreFonts() {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = base + byId("deskBar").dataset.sheet;
    document.head.append(link);
  }

  /* The script is in the head, and the bar in the body. */
  document.addEventListener("DOMContentLoaded", () => {
    loadMoreFonts();
    for (const input of document.querySelectorAll("#deskMenu input")) {
      const radio = /** @type {HTMLInputElement} */ (input);
      radio.checked = radio.value === page.theme();
      radio.addEventListener("change", () => chooseTheme(radio.value));
    }
  });

  keepTheme(page.theme());
  showTheme();
  return page;
})();
