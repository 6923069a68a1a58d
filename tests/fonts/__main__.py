"""Make the font files: python -m tests.fonts /usr/share/fonts.

The folder is that of Debian's packages fonts-noto-core and fonts-noto-cjk.
"""

import sys
from pathlib import Path

from tests.fonts.screen import make_slices
from tests.fonts.vouchers import make_voucher_fonts

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    noto = folder / "truetype/noto"
    cjk = folder / "opentype/noto/NotoSansCJK-Regular.ttc"
    for made in (*make_voucher_fonts(noto, cjk), *make_slices(cjk)):
        print(f"{made.stat().st_size:>9,} {made.name}")
