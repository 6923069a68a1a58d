"""Every icon is drawn, from our own small file."""

from tests.e2e.desk import Desk
from tests.fonts.named_icons import find_named_icons

NOT_IN_THE_FONT = {"star_filled"}  # Streamlit names it, but its own font has no such icon
# Words that become no icon keep the width of their letters.
WIDTHS = """async names => {
  await document.fonts.load("24px 'Material Symbols Rounded'");
  const one = document.body.appendChild(document.createElement("span"));
  one.style.cssText = "font: 24px 'Material Symbols Rounded'; position: absolute";
  const widths = names.map(name => {
    one.textContent = name;
    return [name, one.getBoundingClientRect().width];
  });
  one.remove();
  return Object.fromEntries(widths);
}"""


def test_each_named_icon_is_in_our_file_which_is_loaded_instead_of_streamlits(desk: Desk) -> None:
    asked: list[str] = []
    desk.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    desk.open()
    names = find_named_icons() - NOT_IN_THE_FONT
    assert len(names) > 100
    widths = desk.page.evaluate(WIDTHS, sorted(names))
    assert {name for name, width in widths.items() if width != 24} == set()
    # The negative control: an icon of the whole font that nobody names.
    assert desk.page.evaluate(WIDTHS, ["airport_shuttle"])["airport_shuttle"] > 100
    fonts = [one for one in asked if "woff2" in one]
    assert [one for one in fonts if one.startswith("icons-")] != []
    assert [one for one in fonts if one.startswith("MaterialSymbols")] == []
