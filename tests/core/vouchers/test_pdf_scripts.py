"""The texts of a voucher's PDF: every script, and the longest ones."""

import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PIL import Image

from core.vouchers.pdf import document
from core.vouchers.pdf import page as voucher_page
from core.vouchers.pdf.document import render_voucher
from core.vouchers.pdf.fonts import EM
from core.vouchers.pdf.glyphs import NO_LETTER, REPLACEMENT, Line, is_plain
from core.vouchers.pdf.scripts import usual_font
from core.vouchers.pdf.sheet import HEIGHT, WIDTH, Sheet
from core.vouchers.pdf.text import fit, shape_line, unprintable
from tests.core.vouchers.pdfs import SCRIPTS, image_of, read_pdf, text_of, words_of
from tests.vouchers import BRANDING, make_voucher

PRODUCT = (
    "Global Premium Meet and Assist Connection Service with Porter, Buggy and Fast Track through "
    "Security and Passport Control, for up to four passengers of one booking, including the "
    "transfer between terminals by car, refreshments on the way and a quiet room with shower "
    "whenever the wait exceeds two hours, day or night"
)[:300]


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
    "Khmer": {
        "passenger_name": ("សុវណ្ណារ៉ាព្រលាន" * 8)[:120],
        "product": ("បន្ទប់សម្រាកព្រលានយន្តហោះ" * 30)[:300],
    },
    "Burmese": {"passenger_name": ("လျှို့ဝှက်" * 12)[:120], "product": ("ဧည့်ခန်းမ " * 30)[:300]},
    "Tibetan": {"passenger_name": ("རྒྱ་མཚོ་" * 15)[:120], "product": ("གནམ་གྲུ་བབས་ཐང་" * 20)[:300]},
    "Tamil": {"passenger_name": ("கொழும்பு" * 15)[:120], "product": ("கௌசல்யா " * 37)[:300]},
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
    image = image_of(render_voucher(voucher, branding), 100)
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
        # Some letters, such as J, reach a little out of their width.
        left, top = round((box.left - 2.5) * scale), round((box.top - 1.5) * scale)
        right, bottom = round((box.right + 2.5) * scale), round((box.bottom + 1.5) * scale)
        rest.paste(white, (left, top, right, bottom))
    return min(rest.crop((0, 12, rest.width, rest.height)).tobytes()) < 60


# Readers of PDFs take Adlam for a script that runs from left to right.
@pytest.mark.parametrize("script", sorted(SCRIPTS.keys() - {"Adlam"}))
def test_every_script_has_its_letters_and_can_be_copied(script: str) -> None:
    passenger, product = SCRIPTS[script]
    pdf = render_voucher(make_voucher(passenger_name=passenger, product=product), BRANDING)
    text = text_of(pdf)
    assert REPLACEMENT not in text
    for word in words_of(f"{passenger} {product}"):
        assert word in text
    assert not _has_missing_glyph(pdf)


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_character_of_a_living_script_is_unprintable(script: str) -> None:
    assert unprintable(" ".join(SCRIPTS[script])) == ""


def _has_missing_glyph(pdf: bytes) -> bool:
    """Whether glyph 0 (the empty box) is shown anywhere."""
    reader = read_pdf(pdf)
    forms = reader.pages[0]["/Resources"]["/XObject"]  # type: ignore[index]
    contents = [form.get_object().get_data() for form in forms.values()]
    page = reader.pages[0].get_contents()
    assert page is not None
    shown = b" ".join([*contents, page.get_data()])
    codes = re.findall(rb"<([0-9a-f]+)>", shown)
    assert len(codes) > 50
    return any(code[at : at + 4] == b"0000" for code in codes for at in range(0, len(code), 4))


@pytest.mark.parametrize(
    ("passenger", "said", "missing"),
    [
        ("Zoë 🛋 Smith", "Zoë \ufffd Smith", "🛋"),
        ("👨‍👩‍👧‍👦 Smith", "\ufffd Smith", "👨👩👧👦"),
        ("👍🏽 Smith", "\ufffd Smith", "👍"),
        ("Anna \U00013000", "Anna \ufffd", "\U00013000"),
        ("Anna \u0378", "Anna \ufffd", "\u0378"),
        ("ᚠ ᛒ ᚠ", "\ufffd \ufffd \ufffd", "ᚠᛒ"),
        ("\U0002a6d6 \ue000", "\ufffd \ufffd", "\U0002a6d6\ue000"),
    ],
)
def test_characters_without_a_font_are_shown_as_the_replacement_character_and_known(
    passenger: str, said: str, missing: str
) -> None:
    assert unprintable(passenger) == missing
    pdf = render_voucher(make_voucher(passenger_name=passenger), BRANDING)
    assert said in text_of(pdf).splitlines()
    assert not _has_missing_glyph(pdf)


def test_both_fonts_have_every_plain_letter() -> None:
    plain = [
        chr(code)
        for code in range(0x20, 0x530)
        if is_plain(chr(code)) and code not in range(0x7F, 0xA0)
    ]
    for is_bold in (False, True):
        font = usual_font(is_bold=is_bold)
        assert [one for one in plain if font.glyph(one) is None] == []


def test_direction_overrides_are_removed() -> None:
    pdf = render_voucher(make_voucher(passenger_name="\u202eevil\u202c \x00na\x07me"), BRANDING)
    assert "evil na me" in text_of(pdf).splitlines()


def test_right_to_left_words_keep_their_order_and_brackets_are_mirrored() -> None:
    line = shape_line("נור (VIP) 12 חסן")
    glyphs = [(text, number, run.font) for run in line.runs for number, text, _ in run.glyphs]
    assert "".join(text for text, _, _ in glyphs) == "ןסח 12 )VIP( רונ"
    for text, number, font in glyphs:
        if text in "()":
            assert number == font.glyph("(" if text == ")" else ")")


def test_a_mark_on_a_letter_is_no_space_in_the_copied_text() -> None:
    names = "ឰ៉ា ស៊ើ ញ៉ែ", "လျှို့ မြွှို့", "ঠাকুর র্যাঁ", "བསྟན་རྒྱུ", "שָׁלוֹם", "น้ำ ปี่ที่", "q̃̂ ẍ̣̄"
    for name in names:
        text = text_of(render_voucher(make_voucher(passenger_name=name), BRANDING))
        text = unicodedata.normalize("NFC", text)  # Hebrew points may come in another order
        for word in words_of(name):
            assert word in text


def test_text_breaks_between_syllables_but_not_inside_one() -> None:
    tibetan = fit("གནམ་གྲུ་བབས་ཐང་" * 6, 300, 200, size=20)
    assert all(_text(line).endswith("\u0f0b") for _, line in tibetan.lines)
    for syllable in ("ក្ក", "ක්‍ක", "ক্ক", "က္က", "ເກ", "กำ", "न्द्र"):
        block = fit(syllable * 40, 100, 600, size=20)
        assert len(block.lines) > 3
        for _, line in block.lines:
            assert _text(line).replace(syllable.replace("\u200d", ""), "") == ""


def _text(line: Line) -> str:
    return "".join(text for run in line.runs for _, text, _ in run.glyphs).replace(NO_LETTER, "")
