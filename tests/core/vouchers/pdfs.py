"""Read a voucher's PDF back; names and products in the scripts that people write."""

import io
import re
import subprocess
import unicodedata

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
    "Georgian": ("ნინო ბერიძე", "ბიზნეს დარბაზი"),
    "Armenian": ("Արամ Խաչատրյան", "Բիզնես սրահ"),
    "Bengali": ("রবীন্দ্রনাথ ঠাকুর", "বিমানবন্দর লাউঞ্জ, কৌশিক"),
    "Gurmukhi": ("ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ", "ਹਵਾਈ ਅੱਡਾ ਲਾਉਂਜ"),
    "Gujarati": ("નરેન્દ્ર ત્રિવેદી", "એરપોર્ટ લાઉન્જ"),
    "Odia": ("ନବୀନ ପଟ୍ଟନାୟକ", "ବିମାନବନ୍ଦର ଲାଉଞ୍ଜ"),
    "Tamil": ("சுப்பிரமணியன் கௌசல்யா", "விமான நிலைய ஓய்வறை கொழும்பு"),
    "Telugu": ("శ్రీనివాస రావు", "విమానాశ్రయ లాంజ్ కృష్ణ"),
    "Kannada": ("ಸಿದ್ದರಾಮಯ್ಯ ಕೃಷ್ಣ", "ವಿಮಾನ ನಿಲ್ದಾಣ ಲಾಂಜ್ ಕೊಪ್ಪ"),
    "Malayalam": ("ശ്രീകുമാർ നായർ", "വിമാനത്താവള ലോഞ്ച് കോഴിക്കോട്"),
    "Sinhala": ("ශ්‍රී ලංකා කෞශල්‍යා", "ගුවන් තොටුපළ විවේකාගාරය"),
    "Lao": ("ສົມສັກ ພົມວິຫານ", "ຫ້ອງຮັບຮອງ ນ້ຳໃຈ"),
    "Khmer": ("សុខ សុវណ្ណារ៉ា", "បន្ទប់សម្រាកព្រលានយន្តហោះ"),
    "Myanmar": ("အောင်ဆန်းစုကြည်", "လေဆိပ် ဧည့်ခန်းမ လျှို့ဝှက်"),
    "Ethiopic": ("አበበ ቢቂላ", "የአውሮፕላን ማረፊያ ሳሎን"),
    "Tibetan": ("བསྟན་འཛིན་རྒྱ་མཚོ", "གནམ་གྲུ་བབས་ཐང"),
    "Thaana": ("މުހައްމަދު އިބްރާހީމް", "އެއަރޕޯޓް ލައުންޖް"),
    "Syriac": ("ܐܦܪܝܡ ܝܘܚܢܢ", "ܒܝܬ ܢܝܚܐ"),
    "N'Ko": ("ߞߊ߲ߕߍ ߛߏߟߏߡߊߣߊ", "ߘߊߟߊߡߊߟߋ߲"),
    "Mongolian": ("ᠪᠠᠲᠤ ᠪᠣᠯᠤᠷ", "ᠨᠢᠰᠬᠡᠯ"),
    "Tifinagh": ("ⵎⵓⵃⴰⵏⴷ ⵓⵍⵃⴰⵊ", "ⵜⴰⵙⵉⵔⴰ"),
    "Cherokee": ("ᏍᏏᏉᏯ ᏣᎳᎩ", "ᎦᎸᎳᏗ"),
    "Inuktitut": ("ᐃᓄᒃ ᓄᓇᕗᑦ", "ᖃᖓᑕᓲᖅ"),
    "Ol Chiki": ("ᱨᱚᱜᱷᱩᱱᱟᱛᱷ ᱢᱩᱨᱢᱩ", "ᱥᱟᱱᱛᱟᱲᱤ"),
    "Meetei Mayek": ("ꯃꯤꯇꯩ ꯆꯅꯨ", "ꯂꯥꯎꯟꯖ"),
    "Adlam": ("𞤀𞤣𞤤𞤢𞤥 𞤆𞤵𞤤𞤢𞤪", "𞤅𞤢𞤤𞤢"),
    "Yi": ("ꆈꌠ ꁱꂷ", "ꆈꌠꁱꂷ"),
    "rare Chinese characters": ("𠮷野家 𩸽 﨑山 㐂一 𡈽屋", "𠮷祥寺ラウンジ"),
    "marks": ("Ɔ̃lá M̄ari ṗ̃ Ạ̈nna", "Ma\u0308rt e\u0301 o\u0302\u0301\u0323"),
}


def read_pdf(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=True)


def words_of(text: str) -> list[str]:
    """Return the words of a text as a voucher shows them: composed, as `text_of` reads them."""
    composed = unicodedata.normalize("NFC", text).replace("\u200d", "")
    return re.split(r"[\s()（）,]+", composed.strip("()（）"))


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
