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
from datetime import UTC, datetime

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from core.vouchers import Voucher, render_vouchers
from core.vouchers.pdf import document
from core.vouchers.pdf.document import render_voucher, render_zip
from core.vouchers.pdf.page import draw_details
from core.vouchers.pdf.sheet import Sheet
from tests.core.vouchers.pdfs import SCRIPTS, image_of, read_pdf, scan_code, text_of
from tests.vouchers import BRANDING, make_voucher, make_vouchers

# Text


def test_every_text_on_the_voucher_can_be_read_back() -> None:
    text = text_of(render_voucher(make_voucher(), BRANDING))
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
    text = text_of(
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
    assert "This voucher cannot be refunded." in text_of(render_voucher(voucher, BRANDING))


@pytest.mark.parametrize("product_type", ["lounge", "fast_track", "meet_and_assist", "delay_care"])
def test_every_product_type_has_its_name_and_its_three_steps(product_type: str) -> None:
    text = text_of(render_voucher(make_voucher(product_type=product_type), BRANDING))
    assert product_type.split("_")[0].upper() in text
    assert re.search(r"1 \w.*2 Show this.*3 (Staff|Your)", text, re.DOTALL)


def test_the_file_has_its_metadata() -> None:
    pdf = read_pdf(render_voucher(make_voucher(), BRANDING))
    assert pdf.metadata is not None
    assert pdf.metadata.title == "Voucher B0001234-2: Aspire Lounge, 3 hours"
    assert pdf.metadata.author == "Order Desk"
    assert str(pdf.root_object["/Lang"]) == "en"
    assert [round(float(side)) for side in pdf.pages[0].mediabox[2:]] == [595, 842]


def test_merged_vouchers_have_a_page_and_a_bookmark_each() -> None:
    vouchers, file = make_vouchers(50), io.BytesIO()
    render_vouchers(iter(vouchers), BRANDING, file)
    pdf = read_pdf(file.getvalue())
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
    assert scan_code(image_of(render_voucher(voucher, BRANDING), 72)) == voucher.signed_code


@pytest.mark.parametrize("degrees", [3, 17, 45, 90, 200])
def test_the_code_scans_blurred_and_rotated(degrees: float) -> None:
    voucher = make_voucher()
    image = image_of(render_voucher(voucher, BRANDING), 110)
    blurred = image.filter(ImageFilter.GaussianBlur(1.6))
    assert scan_code(
        blurred.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    ) == (voucher.signed_code)


def test_the_qr_code_is_large_has_a_quiet_zone_and_is_one_path() -> None:
    voucher = make_voucher()
    pdf = render_voucher(voucher, BRANDING)
    image = image_of(pdf, 144)
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
    content = read_pdf(pdf).pages[0].get_contents()
    assert content is not None
    assert len(re.findall(rb"\bre\b", content.get_data())) > 300
    assert len(re.findall(rb"\bre f\b", content.get_data())) == 1
