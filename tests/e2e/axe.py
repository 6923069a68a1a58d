"""axe looks at a page and at the frames in it, in light and dark: no fault of any impact."""

from collections.abc import Sequence

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = "options => axe.run(options).then(found => found.violations)"
# Page and grid, of which the second follows the first a moment later.
IS_DARK = """isDark => {
  const grid = document.querySelector("iframe")?.contentDocument?.querySelector(".ag-root-wrapper");
  return [document.querySelector("[data-testid=stApp]"), grid].filter(Boolean).every(one =>
    one.ownerDocument.defaultView.getComputedStyle(one)
      .backgroundColor.match(/\\d+/g).every(part => part < 128) === isDark);
}"""
axe = Axe()


def faults_of(page: Page, only: Sequence[str] = RULES) -> list[str]:
    """Let axe look at the page and its frames; return every fault, with where it is."""
    for frame in page.frames:
        if not frame.evaluate("() => 'axe' in window"):
            frame.evaluate(axe.axe_script)
    found = page.evaluate(LOOK, {"runOnly": list(only), "resultTypes": ["violations"]})
    return [
        f"{fault['impact']} {fault['id']}: {node['target']} {node['html'][:200]}"
        for fault in found
        for node in fault["nodes"]
    ]


def faults_in_light_and_dark(page: Page) -> list[str]:
    """Look at everything in light, and at the colours in dark too; leave the page in light."""
    found = faults_of(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(IS_DARK, arg=True)
    found += [f"in dark, {one}" for one in faults_of(page, ["color-contrast"])]
    page.emulate_media(color_scheme="light")
    page.wait_for_function(IS_DARK, arg=False)
    return found


def expect_no_fault(page: Page) -> None:
    """Check the page as it is, in light and dark."""
    found = faults_in_light_and_dark(page)
    assert not found, "\n".join(found)
