"""The fonts of the screen for Chinese, Japanese and Korean: slices that a browser loads by need."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.fonts.cutting import cut, open_cjk

FOLDER = Path(__file__).parents[2] / "pages/static/fonts/cjk"
FAMILY = "Desk CJK"
COMMON_PER_SLICE, RARE_PER_SLICE = 220, 400

# Fonts of the viewer's system, which come first: then nothing is downloaded.
HAN = (
    *("Microsoft YaHei", "PingFangSC-Regular", "Noto Sans CJK SC", "Source Han Sans SC"),
    *("NotoSansCJKsc-Regular", "WenQuanYi Micro Hei", "Droid Sans Fallback"),
)
KANA = "Yu Gothic", "Meiryo", "HiraginoSans-W3", "Noto Sans CJK JP", "NotoSansCJKjp-Regular"
HANGUL = (
    *("Malgun Gothic", "AppleSDGothicNeo-Regular", "Noto Sans CJK KR"),
    *("NotoSansCJKkr-Regular", "NanumGothic"),
)
JAMO = "ccmp", "ljmo", "vjmo", "tjmo"  # join the letters of Hangul to syllables


class Slice(NamedTuple):
    """Characters of one file, the system's fonts that have them too, and what shapes them."""

    characters: list[int]
    is_span: bool  # its range runs from its first to its last character
    local: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def make_slices(cjk: Path) -> Iterator[Path]:
    """Write every slice, and the style sheet that says which one has which characters."""
    for old in FOLDER.glob("[0-9c]*.[wc]*"):
        old.unlink()
    with open_cjk(cjk) as font:
        known = set(font.getBestCmap())
    rules = []
    for number, one in enumerate(_slices(known)):
        with open_cjk(cjk) as font:
            part = cut(
                font, one.characters, layout_features=list(one.features), desubroutinize=True
            )
            part.flavor = "woff2"
            path = FOLDER / "new"
            part.save(path)
        path = path.rename(FOLDER / f"{number:03}-{_digest(path.read_bytes())}.woff2")
        rules.append(_rule(one, path.name))
        yield path
    style = "\n".join(rules) + "\n"
    sheet = FOLDER / f"cjk-{_digest(style.encode())}.css"
    sheet.write_text(style)
    yield sheet


def _slices(known: set[int]) -> Iterator[Slice]:
    """Divide the characters. Later slices come first in a browser: these have the common ones."""
    common: list[Slice] = []
    taken: set[int] = set()
    levels: list[tuple[set[int], tuple[str, ...]]] = [
        (_block("3000-30FF 31F0-31FF FE30-FE4F FF01-FFEF"), KANA),
        (_level("gb2312", 0xB0, 0xD7), HAN),
        (_level("euc_jp", 0xB0, 0xCF), HAN),
        (_level("big5", 0xA4, 0xC6), HAN),
        (_level("euc_kr", 0xB0, 0xC8), HANGUL),
    ]
    for characters, local in levels:
        new = sorted(characters & known - taken)
        taken.update(new)
        common += [Slice(part, False, local) for part in _parts(new, COMMON_PER_SLICE)]
    rare: list[tuple[str, tuple[str, ...]]] = [
        ("2E80-2FFF", HAN),
        ("3100-312F 31A0-31EF 3200-33FF", HAN),
        ("3400-4DBF", HAN),
        ("4E00-9FFF", HAN),
        ("F900-FAFF", HAN),
        ("20000-3FFFF", ()),
        ("3130-318F", HANGUL),
        ("AC00-D7A3", HANGUL),
    ]
    for blocks, local in rare:
        left = sorted(_block(blocks) & known - taken)
        yield from (Slice(part, True, local) for part in _parts(left, RARE_PER_SLICE))
    jamo = sorted(_block("1100-11FF A960-A97F D7B0-D7FF") & known)
    yield Slice(jamo, False, HANGUL, JAMO)
    yield from common


def _block(ranges: str) -> set[int]:
    ends = (one.split("-") for one in ranges.split())
    return {code for first, last in ends for code in range(int(first, 16), int(last, 16) + 1)}


def _level(encoding: str, first: int, last: int) -> set[int]:
    """Return the first level of a national standard: its rows of common characters."""
    found = set()
    for row in range(first, last + 1):
        for cell in range(0x40, 0xFF):
            text = bytes((row, cell)).decode(encoding, "ignore")
            if len(text) == 1 and ord(text) >= 0x3400:
                found.add(ord(text))
    return found


def _parts(characters: list[int], most: int) -> Iterator[list[int]]:
    """Divide characters into parts of the same size, of at most so many."""
    count = -(-len(characters) // most)
    for number in range(count):
        start, stop = (len(characters) * (number + more) // count for more in (0, 1))
        yield characters[start:stop]


def _rule(one: Slice, name: str) -> str:
    here = [f'local("{font}")' for font in one.local]
    sources = ",".join([*here, f'url({name})format("woff2")'])
    ends = one.characters[0], one.characters[-1]
    ranges = [ends] if one.is_span else _runs(one.characters)
    listed = ",".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in ranges)
    return (
        f'@font-face{{font-family:"{FAMILY}";font-display:swap;'
        f"src:{sources};unicode-range:{listed}}}"
    )


def _runs(characters: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for code in characters:
        if runs and code == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], code)
        else:
            runs.append((code, code))
    return runs


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
