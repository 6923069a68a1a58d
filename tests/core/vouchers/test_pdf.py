"""Vouchers as PDF, read back and rendered: their text, their QR code, and their layout."""

import io
import re
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageFilter
from pypdf import PdfReader

from core.vouchers import Voucher, render_vouchers
from core.vouchers.pdf import colours, document, fonts
from core.vouchers.pdf import page as voucher_page
from core.vouchers.pdf.document import render_voucher, render_zip
from core.vouchers.pdf.fonts import EM, FontFault
from core.vouchers.pdf.glyphs import REPLACEMENT, Line, is_plain
from core.vouchers.pdf.logo import LogoFault
from core.vouchers.pdf.page import Branding, draw_details
from core.vouchers.pdf.sheet import HEIGHT, WIDTH, Sheet
from core.vouchers.pdf.text import shape_line
from tests.vouchers import BRANDING, make_voucher, make_vouchers

PRODUCT = (
    "Global Premium Meet and Assist Connection Service with Porter, Buggy and Fast Track through "
    "Security and Passport Control, for up to four passengers of one booking, including the "
    "transfer between terminals by car, refreshments on the way and a quiet room with shower "
    "whenever the wait exceeds two hours, day or night"
)[:300]
SCRIPTS = {
    "Arabic": ("محمد عبد الرحمن المنصوري", "صالة الانتظار التنفيذية (3 ساعات)"),
    "Hebrew": ("יוסף כהן בן דוד", "טרקלין עסקים, 3 שעות"),
    "Thai": ("ธนกฤต ประเสริฐ", "ห้องรับรองพิเศษ"),
    "Hindi": ("राम प्रसाद श्रीवास्तव", "हवाई अड्डा लाउंज"),
    "Chinese": ("欧阳喆堃", "贵宾休息室（三小时）"),
    "Japanese": ("佐々木 さくら", "空港ラウンジ"),
    "Korean": ("김민준", "공항 라운지"),
    "Turkish": ("İbrahim Çağlar Şıhoğlu", "Hızlı Geçiş"),
    "Cyrillic": ("Анна Шевченко", "Бизнес-зал, 3 часа"),
    "Greek": ("Κωνσταντίνος Παπαδόπουλος", "Αίθουσα αναμονής"),
    "Vietnamese": ("Nguyễn Thị Hồng Nhung", "Phòng chờ hạng thương gia"),
}
EXTREMES: dict[str, dict[str, Any]] = {
    "long": {
        "passenger_name": ("Wolfeschlegelsteinhausenbergerdorff Maria Magdalena Konstanze " * 2)[
            :120
        ],
        "product": PRODUCT,
        "airport_name": "Aeropuerto Internacional Adolfo Suárez Madrid-Barajas de la Comunidad",
        "terminal": "Satellite Concourse North-West 4S",
        "order_item_id": "0190f7e2-7b3c-7def-8123-456789abcdef" * 2,
        "order_id": "0190f7e2-7b3c-7def-8123-456789abcde0" * 2,
        "flight_number": "TK1980 OPERATED BY LH",
        "airport_tz": "America/Argentina/ComodRivadavia",
    },
    "unbroken": {"passenger_name": "W" * 120, "product": "M" * 300, "refund_expire_at": None},
    "Arabic": {
        "passenger_name": ("محمد عبد الرحمن " * 8)[:120],
        "product": ("صالة الانتظار " * 30)[:300],
    },
    "Hebrew": {
        "passenger_name": ("יוסף כהן " * 14)[:120],
        "product": ("טרקלין עסקים, " * 30)[:300],
    },
    "Thai": {
        "passenger_name": ("ธนกฤตน้ำใจประเสริฐ" * 8)[:120],
        "product": ("ห้องรับรองพิเศษ" * 30)[:300],
    },
    "Hindi": {
        "passenger_name": ("क्षत्रिय श्रीवास्तव " * 8)[:120],
        "product": ("हवाई अड्डा " * 30)[:300],
    },
    "Chinese": {"passenger_name": "王" * 120, "product": ("贵宾休息室（含淋浴）。" * 30)[:300]},
    "emoji": {"passenger_name": "👨‍👩‍👧‍👦" * 17, "product": "Lounge 🛋️ " * 33},
    "marks": {
        "passenger_name": "Z" + "\u0301" * 60 + "a" + "\u0323" * 58,
        "product": ("o\u0302\u0301\u0323\u0308\u0304" * 60)[:300],
    },
    "controls": {
        "passenger_name": "\u202eevil\u202c\x00\x07\n\tname\u2066",
        "product": "a\r\nb\u2028c",
    },
    "nothing": {
        "passenger_name": "",
        "product": "",
        "airport_name": None,
        "terminal": None,
        "flight_number": None,
        "refund_expire_at": None,
    },
}


def _read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def _text(pdf: bytes, page: int = 0) -> str:
    return _read(pdf).pages[page].extract_text().replace("\u200d", "")


def _image(pdf: bytes, dots_per_inch: int) -> Image.Image:
    command = ["pdftoppm", "-r", str(dots_per_inch), "-png", "-singlefile", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    assert done.stderr == b""
    return Image.open(io.BytesIO(done.stdout)).convert("L")


def _scan(image: Image.Image) -> str | None:
    found = zxingcpp.read_barcode(image)
    return None if found is None else found.text


# Text


def test_every_text_on_the_voucher_can_be_read_back() -> None:
    text = _text(render_voucher(make_voucher(), BRANDING))
    for said in (
        *("Order Desk", "Voucher", "B0001234-2", "LOUNGE", "Aspire Lounge, 3 hours"),
        *("LHR", "London Heathrow Airport", "Terminal 5", "Olivia van Dijk", "7QXM-22KD-9WTA"),
        *("Tue 1 Dec 2026, 14:30", "Europe/London, UTC+00:00", "Tue 1 Dec 2026, 23:59"),
        *("BA 286", "Adult", "How to redeem", "1 Go to the lounge", "2 Show this", "3 Staff scan"),
        *("Valid once, for the passenger named above.", "Mon 30 Nov 2026, 14:30"),
        *("Order B0001234", "Item 2 of 3", "Issued Mon 2 Nov 2026, 09:12 UTC"),
        *("help@orderdesk.example",),
    ):
        assert said in text


def test_times_are_local_at_the_airport_across_a_clock_change() -> None:
    text = _text(
        render_voucher(
            make_voucher(
                airport_tz="America/New_York",
                service_at=datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
                valid_until=datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC),
                refund_expire_at=datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
            ),
            BRANDING,
        )
    )
    assert "Sun 1 Nov 2026, 01:30" in text
    assert "America/New_York, UTC-04:00" in text
    assert "Sun 1 Nov 2026, 23:59" in text
    assert "America/New_York, UTC-05:00" in text


def test_a_voucher_without_a_deadline_says_that_it_cannot_be_refunded() -> None:
    voucher = make_voucher(refund_expire_at=None)
    assert "This voucher cannot be refunded." in _text(render_voucher(voucher, BRANDING))


@pytest.mark.parametrize("product_type", ["lounge", "fast_track", "meet_and_assist", "delay_care"])
def test_every_product_type_has_its_name_and_its_three_steps(product_type: str) -> None:
    text = _text(render_voucher(make_voucher(product_type=product_type), BRANDING))
    assert product_type.split("_")[0].upper() in text
    assert re.search(r"1 \w.*2 Show this.*3 (Staff|Your)", text, re.DOTALL)


def test_the_file_has_its_metadata() -> None:
    pdf = _read(render_voucher(make_voucher(), BRANDING))
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Voucher B0001234-2: Aspire Lounge, 3 hours"
    assert pdf.metadata.author == "Order Desk"
    assert str(pdf.root_object["/Lang"]) == "en"
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]


def test_merged_vouchers_have_a_page_and_a_bookmark_each() -> None:
    vouchers, file = make_vouchers(50), io.BytesIO()
    render_vouchers(iter(vouchers), BRANDING, file)
    pdf = _read(file.getvalue())
    assert len(pdf.pages) == 50
    assert pdf.metadata is not None
    assert pdf.metadata.title == "50 vouchers"
    for page, (voucher, entry) in enumerate(zip(vouchers, pdf.outline, strict=True)):
        assert isinstance(entry, dict)
        assert voucher.order_item_id in str(entry["/Title"])
        assert voucher.passenger_name in str(entry["/Title"])
        assert pdf.get_destination_page_number(entry) == page
    for page in (0, 17, 49):
        text = pdf.pages[page].extract_text()
        assert vouchers[page].passenger_name in text
        assert vouchers[page].product in text


def test_shared_parts_are_stored_once() -> None:
    sizes = []
    for count in (1, 21):
        file = io.BytesIO()
        render_vouchers([make_voucher()] * count, BRANDING, file)
        sizes.append(len(file.getvalue()))
    assert (sizes[1] - sizes[0]) / 20 < 3_000


def test_a_file_without_vouchers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no voucher"):
        render_vouchers([], BRANDING, io.BytesIO())


def test_a_zip_has_one_file_per_voucher_with_safe_names() -> None:
    ids = ["B1-1", "../../etc/passwd", "a/b", "a?b", "A_B"]
    vouchers, file = [make_voucher(order_item_id=one) for one in ids], io.BytesIO()
    render_zip(vouchers, BRANDING, file)
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == [
            *("voucher-B1-1.pdf", "voucher-.._.._etc_passwd.pdf", "voucher-a_b.pdf"),
            *("voucher-a_b-2.pdf", "voucher-A_B-3.pdf"),
        ]
        for name, voucher in zip(archive.namelist(), vouchers, strict=True):
            assert archive.read(name) == render_voucher(voucher, BRANDING)


# Reproducible files


def test_the_same_voucher_gives_the_same_file() -> None:
    first = render_voucher(make_voucher(), BRANDING)
    render_voucher(make_voucher(passenger_name="محمد", product="Другой"), BRANDING)
    assert render_voucher(make_voucher(), BRANDING) == first


def test_another_process_writes_the_same_file() -> None:
    code = (
        "import sys; from tests.vouchers import *; from core.vouchers.pdf.document "
        "import render_voucher; "
        "sys.stdout.buffer.write(render_voucher(make_voucher(), BRANDING))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout == render_voucher(make_voucher(), BRANDING)


@contextmanager
def _hurried_threads() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def test_eight_threads_write_the_same_file_as_one() -> None:
    vouchers = [
        make_voucher(passenger_name=name, product=product, order_item_id=f"{script}-{number}")
        for number in range(8)
        for script, (name, product) in SCRIPTS.items()
    ]
    alone = [render_voucher(voucher, BRANDING) for voucher in vouchers]
    with _hurried_threads(), ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda voucher: render_voucher(voucher, BRANDING), vouchers))
    assert together == alone


@pytest.mark.parametrize("has_lock", [True, False])
def test_the_lock_lets_one_thread_render_at_a_time(
    monkeypatch: pytest.MonkeyPatch, has_lock: bool
) -> None:
    inside, most = [0], [0]
    draw, counting = draw_details, threading.Lock()

    def watched(sheet: Sheet, voucher: Voucher) -> None:
        with counting:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.005)
        draw(sheet, voucher)
        with counting:
            inside[0] -= 1

    monkeypatch.setattr(document, "draw_details", watched)
    if not has_lock:
        monkeypatch.setattr(document, "_LOCK", nullcontext())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: render_voucher(make_voucher(), BRANDING), range(16)))
    assert (most[0] == 1) == has_lock


# The QR code


def test_the_code_scans_at_72_dpi() -> None:
    voucher = make_voucher()
    assert _scan(_image(render_voucher(voucher, BRANDING), 72)) == voucher.signed_code


@pytest.mark.parametrize("degrees", [3, 17, 45, 90, 200])
def test_the_code_scans_blurred_and_rotated(degrees: float) -> None:
    voucher = make_voucher()
    image = _image(render_voucher(voucher, BRANDING), 110)
    blurred = image.filter(ImageFilter.GaussianBlur(1.6))
    assert _scan(blurred.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)) == (
        voucher.signed_code
    )


def test_the_qr_code_is_large_has_a_quiet_zone_and_is_one_path() -> None:
    voucher = make_voucher()
    pdf = render_voucher(voucher, BRANDING)
    image = _image(pdf, 144)
    found = zxingcpp.read_barcode(image)
    assert found is not None
    corners = found.position
    left, right = corners.top_left.x / 2, corners.top_right.x / 2
    top, bottom = corners.top_left.y / 2, corners.bottom_left.y / 2
    assert right - left > 30 / 25.4 * 72
    module = (right - left) / 41
    zone = 4 * module - 1.5
    around = image.crop((2 * (left - zone), 2 * (top - zone), 2 * (right + zone), 2 * (top - 1)))
    assert min(around.tobytes()) == 255
    beside = image.crop((2 * (left - zone), 2 * top, 2 * (left - 1), 2 * bottom))
    assert min(beside.tobytes()) == 255
    content = _read(pdf).pages[0].get_contents()
    assert content is not None
    assert len(re.findall(rb"\bre\b", content.get_data())) > 300
    assert len(re.findall(rb"\bre f\b", content.get_data())) == 1


# Scripts and long texts


@dataclass(frozen=True)
class Box:
    """The ink of a line of text, in points from the top left of the page."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        """Whether two boxes overlap by more than a rounding error."""
        hair = 0.2
        return (
            self.left < other.right - hair
            and other.left < self.right - hair
            and self.top < other.bottom - hair
            and other.top < self.bottom - hair
        )


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """Collect the boxes of all drawn lines."""
    found: list[Box] = []
    draw = Sheet.line

    def line(self: Sheet, line: Line, x: float, y: float, **looks: Any) -> None:
        draw(self, line, x, y, **looks)
        size, spacing = looks["size"] / EM, looks.get("spacing", 0)
        width = line.width * size + spacing * sum(len(run.glyphs) for run in line.runs)
        left = x - looks.get("align", 0) * width
        if line.top > line.bottom:
            found.append(Box(left, y - line.top * size, left + width, y - line.bottom * size))

    monkeypatch.setattr(Sheet, "line", line)
    document._first_frame.cache_clear()
    return found


@pytest.mark.parametrize("name", [*SCRIPTS, *(f"too much: {name}" for name in EXTREMES)])
def test_no_text_is_clipped_or_overlaps(name: str, boxes: list[Box]) -> None:
    if name in SCRIPTS:
        passenger, product = SCRIPTS[name]
        voucher = make_voucher(passenger_name=passenger, product=product)
    else:
        voucher = make_voucher(**EXTREMES[name.removeprefix("too much: ")])
    branding = replace(BRANDING, name="N" * 60, support="s" * 200, terms="A rule. " * 187)
    image = _image(render_voucher(voucher, branding), 100)
    assert len(boxes) > 20
    for place, box in enumerate(boxes):
        assert box.left >= voucher_page.MARGIN - 2
        assert box.right <= WIDTH - voucher_page.MARGIN + 2
        assert 20 < box.top < box.bottom < HEIGHT - 12
        for other in boxes[place + 1 :]:
            assert not box.overlaps(other)
    assert not _ink_outside(image, boxes)


def _ink_outside(image: Image.Image, boxes: list[Box]) -> bool:
    """Find dark pixels outside the measured boxes and the QR code."""
    scale, rest = image.width / WIDTH, image.copy()
    code = Box(WIDTH - 246, 274, WIDTH - 72, 446)
    white = 255
    for box in [*boxes, code]:
        left, top = round((box.left - 1.5) * scale), round((box.top - 1.5) * scale)
        right, bottom = round((box.right + 1.5) * scale), round((box.bottom + 1.5) * scale)
        rest.paste(white, (left, top, right, bottom))
    return min(rest.crop((0, 12, rest.width, rest.height)).tobytes()) < 60


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_has_its_letters_and_can_be_copied(script: str) -> None:
    passenger, product = SCRIPTS[script]
    pdf = render_voucher(make_voucher(passenger_name=passenger, product=product), BRANDING)
    text = _text(pdf)
    assert REPLACEMENT not in text
    for word in re.findall(r"\w[\w\u0300-\u0fff]*", f"{passenger} {product}"):
        assert word in text
    assert not _has_missing_glyph(pdf)


def _has_missing_glyph(pdf: bytes) -> bool:
    """Whether glyph 0 (the empty box) is shown anywhere."""
    reader = _read(pdf)
    forms = reader.pages[0]["/Resources"]["/XObject"]  # type: ignore[index]
    contents = [form.get_object().get_data() for form in forms.values()]
    page = reader.pages[0].get_contents()
    assert page is not None
    shown = b" ".join([*contents, page.get_data()])
    codes = re.findall(rb"<([0-9a-f]+)>", shown)
    assert len(codes) > 50
    return any(code[at : at + 4] == b"0000" for code in codes for at in range(0, len(code), 4))


@pytest.mark.parametrize(
    ("passenger", "said"),
    [
        ("Zoë 🛋 Smith", "Zoë \ufffd Smith"),
        ("👨‍👩‍👧‍👦 Smith", "\ufffd Smith"),
        ("👍🏽 Smith", "\ufffd Smith"),
        ("Anna \U00013000", "Anna \ufffd"),
        ("Anna \u0378", "Anna \ufffd"),
        ("ᚠ ᛒ", "\ufffd \ufffd"),
    ],
)
def test_characters_without_a_font_are_shown_as_the_replacement_character(
    passenger: str, said: str
) -> None:
    pdf = render_voucher(make_voucher(passenger_name=passenger), BRANDING)
    assert said in _text(pdf).splitlines()
    assert not _has_missing_glyph(pdf)


def test_both_fonts_have_every_plain_letter() -> None:
    plain = [
        chr(code)
        for code in range(0x20, 0x530)
        if is_plain(chr(code)) and code not in range(0x7F, 0xA0)
    ]
    for is_bold in (False, True):
        font = fonts.fonts(is_bold=is_bold)[0]
        assert [one for one in plain if font.glyph(one) is None] == []


def test_direction_overrides_are_removed() -> None:
    pdf = render_voucher(make_voucher(passenger_name="\u202eevil\u202c \x00na\x07me"), BRANDING)
    assert "evil na me" in _text(pdf).splitlines()


def test_right_to_left_words_keep_their_order_and_brackets_are_mirrored() -> None:
    line = shape_line("נור (VIP) 12 חסן")
    glyphs = [(text, number, run.font) for run in line.runs for number, text in run.glyphs]
    assert "".join(text for text, _, _ in glyphs) == "ןסח 12 )VIP( רונ"
    for text, number, font in glyphs:
        if text in "()":
            assert number == font.glyph("(" if text == ")" else ")")


# Branding and its errors


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
    assert "Order Desk" in _text(render_voucher(make_voucher(), replace(BRANDING, logo=None)))


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


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "text"])
def test_a_missing_or_damaged_font_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    for font in fonts.FONTS.glob("*.ttf"):
        (tmp_path / font.name).symlink_to(font)
    path = tmp_path / fonts.FALLBACKS[0]
    whole = path.read_bytes()
    path.unlink()
    content = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"no font at all"}
    if damage in content:
        path.write_bytes(content[damage])
    monkeypatch.setattr(fonts, "FONTS", tmp_path)
    fonts.load_font.cache_clear()
    fonts.fonts.cache_clear()
    try:
        with pytest.raises(FontFault, match=f"The font {path} "):
            document.check_assets(BRANDING)
    finally:
        fonts.load_font.cache_clear()
        fonts.fonts.cache_clear()


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
