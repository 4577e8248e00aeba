"""The README's moving picture: a session in JupyterLab, photographed after each gesture.

With TEWB_README_SCREENSHOT=1 in the environment, the picture becomes docs/images/session.gif.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import expect

from tests.browser.bench import code, press, row, said, split, tab
from tests.browser.lab import ROOT, SCREENSHOTS, Lab, opened
from tests.browser.test_tasks import cells

PICTURE = ROOT / "docs" / "images" / "session.gif"
LARGEST = 3 << 20  # bytes
WIDTH, HEIGHT, CAPTION = 1000, 740, 38  # pixels

PROGRAM = """
import numpy as np, tewb
from tewb import te

n = 2048
A = te.placeholder((n + 2, n + 2), name="A")
X = te.compute((n + 2, n), lambda i, j: A[i, j] + A[i, j + 1] + A[i, j + 2], name="X")
Y = te.compute((n, n), lambda i, j: (X[i, j] + X[i + 1, j] + X[i + 2, j]) / 9, name="Y")

def blurred(a):
    x = a[:, :-2] + a[:, 1:-1] + a[:, 2:]
    return (x[:-2] + x[1:-1] + x[2:]) / np.float32(9)

tewb.Workbench(te.create_schedule(Y.op), [A, Y], reference=blurred)
"""


class Film:
    """Photographs of the workbench, each with a caption and the seconds for which it is shown."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.frames: list[Image.Image] = []
        self.seconds: list[float] = []
        self.font = ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans-Bold.ttf", 17)

    def take(self, caption: str, seconds: float = 2.2) -> None:
        """Photograph the workbench when it has come to rest."""
        self.page.wait_for_timeout(700)
        bench = self.page.locator(".tw-workbench").first
        bench.evaluate("e => e.scrollIntoView({block: 'start'})")
        box = bench.bounding_box()
        clip = {"x": box["x"], "y": box["y"], "width": WIDTH, "height": HEIGHT}
        photo = Image.open(io.BytesIO(self.page.screenshot(clip=clip))).convert("RGB")
        frame = Image.new("RGB", (WIDTH, HEIGHT + CAPTION), "#1f3a5f")
        frame.paste(photo, (0, CAPTION))
        ImageDraw.Draw(frame).text((14, 8), caption, fill="white", font=self.font)
        self.frames.append(frame)
        self.seconds.append(seconds)

    def save(self, path: Path) -> None:
        """Write an animated GIF. All frames share their colours, so that what does not change is not stored again."""
        strip = Image.new("RGB", (WIDTH, (HEIGHT + CAPTION) * len(self.frames)))
        for i, frame in enumerate(self.frames):
            strip.paste(frame, (0, i * (HEIGHT + CAPTION)))
        colours = strip.quantize(96, dither=Image.Dither.NONE)
        first, *others = [f.quantize(palette=colours, dither=Image.Dither.NONE) for f in self.frames]
        durations = [int(1000 * s) for s in self.seconds]
        first.save(path, save_all=True, append_images=others, duration=durations, loop=0, optimize=True)


def press_key(page: Any, loop: str, key: str) -> None:
    row(page, loop).click()
    page.keyboard.press(key)


def split_by_key(page: Any, loop: str, factor: int) -> None:
    split(page, loop, factor)
    expect(row(page, f"{loop}.inner")).to_be_visible(timeout=30_000)


def test_a_session_is_a_moving_picture(page: Any, lab: Lab) -> None:
    page.set_viewport_size({"width": 1500, "height": 930})
    page.set_default_timeout(90_000)
    name = cells(lab, "session", PROGRAM)
    opened(page, lab, name)
    page.evaluate("() => { window.jupyterapp.commands.execute('application:toggle-left-area'); }")
    page.add_style_tag(
        content=f".tw-workbench {{ width: {WIDTH}px !important; max-width: none !important; }}"
    )
    film = Film(page)
    film.take("A blur in two stages, as it is written: X is computed whole, then Y", 3.0)

    split_by_key(page, "Y/i", 32)
    film.take("Click a loop, key s: Y is computed in strips of 32 rows")

    split_by_key(page, "Y/j", 16)
    press_key(page, "Y/j.inner", "v")
    expect(row(page, "Y/j.inner")).to_contain_text("vectorize")
    film.take("Key v: 16 columns become one vector")

    row(page, "X").drag_to(row(page, "Y/j.inner"))
    expect(said(page)).to_contain_text("cannot become lanes")
    film.take("What cannot be done is refused, with the reason and the loops as they are", 3.5)

    row(page, "X").drag_to(row(page, "Y/i.outer"))
    expect(row(page, "X")).to_contain_text("272 KiB, of 16.02 MiB")
    film.take("X dropped on a loop is computed there: strip by strip, in 272 KiB instead of 16 MiB", 3.5)

    split_by_key(page, "X/j", 16)
    press_key(page, "X/j.inner", "v")
    expect(row(page, "X/j.inner")).to_contain_text("vectorize")
    press_key(page, "Y/i.outer", "p")
    expect(code(page)).to_contain_text("T.parallel(64)")
    film.take("Key p: strips run on all cores")

    press(page, "Measure")
    expect(page.locator(".tw-result").first).to_contain_text("✓", timeout=200_000)
    film.take("Measure: the result is compared with numpy's, then both are timed", 4.0)

    tab(page, "Journal").locator(".tw-step").nth(3).hover()
    film.take("Hover over a step of the journal: what it made lights up", 3.0)

    tab(page, "Schedule")
    page.mouse.move(0, 0)
    film.take("The schedule is code, which can be edited here or kept", 4.0)

    SCREENSHOTS.mkdir(exist_ok=True)
    made = SCREENSHOTS / "session.gif"
    film.save(made)
    assert made.stat().st_size < LARGEST
    with Image.open(made) as film_read:
        assert film_read.n_frames == len(film.frames)
    assert code(page).inner_text()
    if os.environ.get("TEWB_README_SCREENSHOT"):
        shutil.copy(made, PICTURE)
