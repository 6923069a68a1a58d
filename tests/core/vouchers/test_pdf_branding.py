"""The branding of a voucher's PDF: logo, fonts and colour, and their errors."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.vouchers.pdf import colours, document, fonts, scripts
from core.vouchers.pdf.document import render_voucher
from core.vouchers.pdf.fonts import FontFault
from core.vouchers.pdf.logo import LogoFault
from core.vouchers.pdf.page import Branding
from tests.core.vouchers.pdfs import text_of
from tests.vouchers import BRANDING, make_voucher


def _logo(folder: Path, kind: str, size: tuple[int, int]) -> Path:
    path = folder / f"logo.{kind}"
    if kind == "svg":
        path.write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}">'
            '<rect width="100%" height="100%" fill="#0000ff"/></svg>'
        )
    else:
        Image.new("RGB", size, "#0000ff").save(path)
    return path


@pytest.mark.parametrize("kind", ["svg", "png", "jpg"])
@pytest.mark.parametrize("size", [(40, 40), (3000, 200), (20, 900)])
def test_a_logo_of_any_shape_fits_the_header(
    tmp_path: Path, kind: str, size: tuple[int, int]
) -> None:
    branding = replace(BRANDING, logo=_logo(tmp_path, kind, size))
    command = ["pdftoppm", "-r", "72", "-png", "-singlefile", "-"]
    pdf = render_voucher(make_voucher(), branding)
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    pixels = Image.open(io.BytesIO(done.stdout)).convert("RGB")
    blue = [
        (x, y)
        for x in range(pixels.width)
        for y in range(0, 120)
        if pixels.getpixel((x, y))[2] > 200 and pixels.getpixel((x, y))[0] < 60  # type: ignore[index]
    ]
    assert blue
    assert min(x for x, _ in blue) >= 47
    assert max(x for x, _ in blue) <= 200
    assert min(y for _, y in blue) >= 33
    assert max(y for _, y in blue) <= 71
    assert len(pdf) < 40_000


def test_a_changed_logo_is_used_at_once(tmp_path: Path) -> None:
    branding = replace(BRANDING, logo=_logo(tmp_path, "png", (40, 40)))
    before = render_voucher(make_voucher(), branding)
    Image.new("RGB", (80, 40), "#ff0000").save(tmp_path / "logo.png")
    assert render_voucher(make_voucher(), branding) != before


def test_without_a_logo_the_name_stands_alone() -> None:
    assert "Order Desk" in text_of(render_voucher(make_voucher(), replace(BRANDING, logo=None)))


@pytest.mark.parametrize(
    "name", ["gone.png", "broken.png", "broken.svg", "broken.jpg", "empty.svg"]
)
def test_a_missing_or_broken_logo_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.startswith("broken"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n no picture \xff")
    elif name.startswith("empty"):
        path.write_text("")
    branding = replace(BRANDING, logo=path)
    with pytest.raises(
        LogoFault, match=f"The logo {path} .*set LOGO to another PNG, JPEG or SVG file"
    ):
        render_voucher(make_voucher(), branding)
    with pytest.raises(LogoFault):
        document.check_assets(branding)


@pytest.mark.parametrize("file", [scripts.BOLD, "NotoSansCJK-Rare.ttf"])
@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "text"])
def test_a_missing_or_damaged_font_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, file: str
) -> None:
    for font in fonts.FONTS.glob("*.ttf"):
        (tmp_path / font.name).symlink_to(font)
    path = tmp_path / file
    whole = path.read_bytes()
    path.unlink()
    content = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no font at all"}
    if damage in content:
        path.write_bytes(content[damage])
    for module in (fonts, scripts):
        monkeypatch.setattr(module, "FONTS", tmp_path)
    fonts.load_font.cache_clear()
    try:
        with pytest.raises(FontFault, match=f"The font {path} "):
            document.check_assets(BRANDING)
    finally:
        fonts.load_font.cache_clear()


@pytest.mark.parametrize("colour", ["#ffff00", "#ffffff", "#000000", "#0f766e", "#E11D48"])
def test_a_brand_colour_of_any_lightness_is_readable(colour: str) -> None:
    brand = colours.parse_colour(colour)
    assert 1.05 / (colours.luminance(colours.readable_colour(brand)) + 0.05) > 4.5
    on = colours.readable_on(brand)
    light, dark = sorted(map(colours.luminance, (brand, on)))[::-1]
    assert (light + 0.05) / (dark + 0.05) > 2.3


def test_the_branding_comes_from_the_settings() -> None:
    branding = document.current_branding()
    assert branding == Branding("Order Desk", BRANDING.logo, "#0f766e", "", BRANDING.terms)
    document.check_assets(branding)
