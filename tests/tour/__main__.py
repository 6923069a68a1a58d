"""Make the pictures of the README: start Order Desk with new demo data and open it in Chromium.

The demo data of one day is always the same. Whether an item has expired depends on the clock.
"""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from sqlalchemy import select

from core import access, demo, startup, storage, vouchers
from core.storage import OrderItem
from tests.conftest import use_database
from tests.e2e.conftest import FLAGS, ZONE, find_chromium
from tests.e2e.desk import Desk
from tests.e2e.servers import PROJECT, Server, serving
from tests.tour.scenes import SCENES, TOUR, Scene
from tests.tour.story import tell

DOCS = PROJECT / "docs"
WINDOW: ViewportSize = {"width": 1440, "height": 900}
COLOURS = 256  # a screen has few colours; this makes a file a third of the size
TOUR_WIDTH, TOUR_MS, TOUR_QUALITY = 1_080, 2_200, 70
SETTLED_MS = 900  # after the last run, for fonts and fade-ins


def main() -> None:
    """Make every picture, then the tour and the voucher."""
    with tempfile.TemporaryDirectory() as folder, _serving_demo(Path(folder)) as server:
        pictures = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            for scene in SCENES:
                if scene.is_there:
                    pictures[scene.name] = _take(browser, server, scene)
                    _keep(pictures[scene.name], DOCS / f"{scene.name}.png")
        _keep_tour([pictures[name] for name in TOUR if name in pictures])
        _keep(_draw_voucher(Path(folder)), DOCS / "voucher.png")


@contextmanager
def _serving_demo(folder: Path) -> Iterator[Server]:
    """Serve demo data whose newest order is from 9:30 in the morning, UTC."""
    os.environ["DATA_DIR"] = str(folder)
    database = f"sqlite:///{folder / 'tour.db'}"
    use_database(database)
    now = datetime.now(UTC)
    morning = now.replace(hour=9, minute=30, second=0, microsecond=0)
    morning -= timedelta(days=morning > now)
    startup.prepare(morning, may_fill=False)
    demo.fill(demo.DEFAULT_ORDERS, actor=access.CONSOLE, now=morning)
    tell(morning)
    with serving(database, folder) as server:
        yield server


def _take(browser: Browser, server: Server, scene: Scene) -> Image.Image:
    context = browser.new_context(viewport=WINDOW, timezone_id=ZONE, color_scheme=scene.scheme)
    page = context.new_page()
    desk = Desk(page, server.url)
    scene.go(desk)
    desk.wait_for_run()
    page.mouse.move(0, WINDOW["height"] - 1)  # away from everything that reacts
    page.wait_for_timeout(SETTLED_MS)
    picture = Image.open(io.BytesIO(page.screenshot()))
    context.close()
    return picture.convert("RGB")


def _keep(picture: Image.Image, path: Path) -> None:
    reduced = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)
    print(f"{path.relative_to(PROJECT)}: {path.stat().st_size // 1_000:,} kB", flush=True)


def _keep_tour(pictures: list[Image.Image]) -> None:
    """Write one animated picture that shows the pictures in turn."""
    height = TOUR_WIDTH * WINDOW["height"] // WINDOW["width"]
    frames = [one.resize((TOUR_WIDTH, height), Image.Resampling.LANCZOS) for one in pictures]
    path = DOCS / "tour.webp"
    frames[0].save(
        path,
        save_all=True,
        append_images=frames[1:],
        duration=TOUR_MS,
        loop=0,
        quality=TOUR_QUALITY,
        method=6,
    )
    print(f"{path.relative_to(PROJECT)}: {path.stat().st_size // 1_000:,} kB", flush=True)


def _draw_voucher(folder: Path) -> Image.Image:
    """Render the first page of a valid voucher's PDF."""
    now = datetime.now(UTC)
    valid = select(OrderItem.order_item_id).where(
        OrderItem.status == "not_used", OrderItem.valid_until > now
    )
    with storage.reading() as session:
        item_id = session.scalars(valid.order_by(OrderItem.no.desc())).first()
    file = folder / "voucher.pdf"
    with file.open("wb") as opened:
        vouchers.issue([item_id or ""], opened, file_format="pdf", actor=access.CONSOLE, now=now)
    command = ["pdftoppm", "-png", "-r", "80", "-singlefile", str(file), str(folder / "voucher")]
    subprocess.run(command, check=True)
    return Image.open(folder / "voucher.png").convert("RGB")


if __name__ == "__main__":
    main()
