"""Takes the pictures of a page that the documentation shows, whole or a card of it; the file's name says which.

    python docs/pictures.py report.html|backtest.html|compare.html|audit.html|audit-screen.ansi [docs/images]

A screen is what a terminal of 80 columns received: script -qc 'stty cols 80; solvent audit' audit-screen.ansi

Needs Chromium or Chrome on the PATH. It is driven through a pipe (the DevTools
protocol), so that width and colour scheme are set as a reader's would be.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
BOX = "getBoundingClientRect()"
WIRE = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3)  # the browser reads commands from 3 and answers on 4
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Picture(NamedTuple):
    """name: of the file; width, height: of the page in pixels; dark: the reader prefers it; scale: pixels a point;
    card: identifier of the one card that is taken, '' for the page from its top.
    """

    name: str
    width: int
    height: int
    dark: bool = False
    scale: int = 2
    card: str = ""


CARDS = ("life", "drift", "ageing", "forecasts", "prices")
PICTURES = {
    "report": (
        Picture("report-wide", 1240, 1330),
        Picture("report-narrow", 390, 2000),
        Picture("report-dark", 1240, 1330, dark=True),
    ),
    "backtest": (
        Picture("backtest-wide", 1240, 1180, scale=1),
        Picture("backtest-narrow", 390, 1500, scale=1),
        Picture("backtest-dark", 1240, 1180, dark=True, scale=1),
        *(Picture(f"backtest-{card}", 1240, 3600, scale=1, card=card) for card in CARDS),
    ),
    "compare": (Picture("compare-wide", 1240, 1120, scale=1),),
    "audit": (Picture("audit-wide", 1240, 1500, scale=1), Picture("audit-narrow", 390, 1800, scale=1)),
    "audit-screen": (Picture("audit-screen", 760, 900, card="screen"),),
}
SCREEN = """<meta charset="utf-8"><style>
body {{ margin: 0 }}
pre {{ display: inline-block; margin: 0; padding: 16px; background: #fff; color: #1b1f24;
       font: 14px/1.35 'DejaVu Sans Mono', Menlo, monospace }}
</style><pre id="screen">{code}</pre>"""


class Browser:
    """A headless browser with one page, spoken to through its pipe. Use it as a context manager."""

    def __init__(self) -> None:
        program = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if program is None:
            sys.exit(f"no browser found: install one of {', '.join(BROWSERS)}")
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self._send = os.pipe()
        self._receive, from_browser = os.pipe()
        command = [program, *FLAGS, f"--user-data-dir={self._profile.name}"]
        wired = [sys.executable, "-c", WIRE, str(to_browser), str(from_browser), *command]
        self._process = subprocess.Popen(wired, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._count, self._session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._send)
        os.close(self._receive)
        self._profile.cleanup()

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its result. Raises: RuntimeError, the browser refused it."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._send, json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != self._count:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return dict(answer["result"])

    def wait_for(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def open(self, page: Path, picture: Picture) -> None:
        """Show a page as a reader with this width and this taste would see it."""
        metrics = {"width": picture.width, "height": picture.height, "deviceScaleFactor": picture.scale}
        self.call("Emulation.setDeviceMetricsOverride", mobile=picture.width < 600, **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if picture.dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page."""
        return self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def screenshot(self, card: str = "") -> bytes:
        """What is in view, or one card of it, as PNG."""
        if not card:
            return b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        box = f"(({{x, y, width, height}}) => ({{x, y, width, height}}))(document.getElementById('{card}').{BOX})"
        clip = {**self.evaluate(box), "scale": 1}
        return b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._receive, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser closed its pipe")
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))


def drawn(screen: Path, room: Path) -> Path:
    """A page that looks like the terminal that received this."""
    console = Console(record=True, width=80, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(screen.read_text().replace("\x1b[K", "")), soft_wrap=True)
    page = room / f"{screen.stem}.html"
    page.write_text(console.export_html(inline_styles=True, code_format=SCREEN))
    return page


def main() -> None:
    if not 2 <= len(sys.argv) <= 3 or Path(sys.argv[1]).stem not in PICTURES:
        sys.exit((__doc__ or "").strip())
    page = Path(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else Path(__file__).parent / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser, tempfile.TemporaryDirectory() as room:
        page = drawn(page, Path(room)) if page.suffix == ".ansi" else page
        for picture in PICTURES[page.stem]:
            browser.open(page, picture)
            target = folder / f"{picture.name}.png"
            target.write_bytes(browser.screenshot(picture.card))
            sys.stdout.write(f"{target}\n")


if __name__ == "__main__":
    main()
