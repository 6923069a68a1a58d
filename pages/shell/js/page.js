/* The browser side of the frame: where the server is, theme, menus, dialogs, and that a click was
   heard. It runs in the page itself, before Streamlit's scripts. */
window.orderDeskPage = (function () {
  "use strict";
  const THEMES = ["System", "Light", "Dark"];
  const THEME = "orderDesk.theme";
  /* Streamlit keeps a theme for each address; we copy ours there before it starts. */
  const STREAMLITS = `stActiveTheme-${window.location.pathname}-v2`;
  const HEARD_MS = 700; /* by then a run has begun, which draws the line itself */
  /* Our font, by file, and the characters of each. A face of a style sheet would be loaded again, and
     texts drawn in another font meanwhile, whenever a sheet comes or goes. */
  const FONTS = {
    "inter-latin-3100e775.woff2":
      "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+0304,U+0308," +
      "U+0329,U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD",
    "inter-latin-ext-34b9c504.woff2":
      "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+0304,U+0308,U+0329," +
      "U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,U+2020,U+20A0-20AB,U+20AD-20C0,U+2113," +
      "U+2C60-2C7F,U+A720-A7FF",
    "inter-cyrillic-71d5ee93.woff2":
      "U+0301,U+0400-045F,U+0490-0491,U+04B0-04B1,U+2116",
    "inter-greek-1be3448e.woff2":
      "U+0370-0377,U+037A-037F,U+0384-038A,U+038C,U+038E-03A1,U+03A3-03FF",
  };
  const base = new URL("./", window.location.href).href;
  const root = document.documentElement;
  const page = /** @type {OrderDeskPage} */ ({ base });

  /* Else Streamlit asks below every page's address first, gets 404, waits, and asks again. Then it
     asks for its host, which is this one, before it connects. */
  window.__streamlit = {
    BACKEND_BASE_URL: base,
    HOST_CONFIG: { allowedOrigins: [window.location.origin], useExternalAuthToken: false },
  };

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

  /* Whether a click on a link opens it here; with a key, the browser opens it elsewhere. */
  page.isPlain = ({ ctrlKey, metaKey, shiftKey }) => !ctrlKey && !metaKey && !shiftKey;

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
    for (const menu of ["deskMenu", "deskPages"]) byId(menu).hidePopover();
    dialog.showModal();
    if (id === "deskSearch") page.onSearch();
    return true;
  };

  page.searchToken = function () {
    const token = /** @type {HTMLElement} */ (document.querySelector("[data-search-token]"));
    return token ? token.dataset.searchToken : "";
  };

  document.addEventListener(
    "click",
    (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const button = target.closest("button, a[href], [role=option], [role=tab], label");
      const isOurs = button && button.closest("a[target=_blank], [data-folds], [data-more]");
      if (button && button.closest("#root") && !isOurs) page.hear();
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

  for (const [file, unicodeRange] of Object.entries(FONTS)) {
    const source = `url(${base}app/static/fonts/${file}) format("woff2")`;
    document.fonts.add(new FontFace("Inter", source, { weight: "100 900", unicodeRange }));
  }

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
