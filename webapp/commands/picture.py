"""Takes the picture for the README: the first page, as a newcomer sees it at dusk."""

from __future__ import annotations

import tempfile
from pathlib import Path

from webapp.errors import LabError
from webapp.files import write_whole
from webapp.supervisor.trial import trial_site

# Where Debian puts them; the first is Chromium without its windows.
CHROMIUMS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
WIDTH, HEIGHT = 1280, 800


def take(out: Path) -> None:
    """Start a site of its own and photograph its first page."""
    chromium = next((path for path in CHROMIUMS if path.exists()), None)
    if chromium is None:
        raise LabError(
            "The picture needs Chromium. Install it (Debian: apt-get install "
            "chromium-headless-shell) and run this again."
        )
    # A package of the tests, which the site itself does not need.
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- see above

    out.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        trial_site(Path(folder) / "instance", scripted="keeper") as trial,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox"]
        )
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT},
            color_scheme="dark",
            reduced_motion="reduce",
        )
        page.goto(trial.url, wait_until="networkidle")
        write_whole(out, page.screenshot())
        browser.close()
