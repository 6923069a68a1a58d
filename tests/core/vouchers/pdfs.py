"""Read a voucher's PDF back; names and products in the scripts that people write."""

import io
import subprocess

import zxingcpp
from PIL import Image
from pypdf import PdfReader

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


def read_pdf(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def text_of(pdf: bytes, page: int = 0) -> str:
    return read_pdf(pdf).pages[page].extract_text().replace("\u200d", "")


def image_of(pdf: bytes, dots_per_inch: int) -> Image.Image:
    command = ["pdftoppm", "-r", str(dots_per_inch), "-png", "-singlefile", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    assert done.stderr == b""
    return Image.open(io.BytesIO(done.stdout)).convert("L")


def scan_code(image: Image.Image) -> str | None:
    found = zxingcpp.read_barcode(image)
    return None if found is None else found.text
