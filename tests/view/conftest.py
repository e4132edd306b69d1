"""A headless Chromium for the tests of pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Where a part is missing, tests are skipped; if ``BROWSER_TESTS=required``, as in CI, they fail."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    parts = {"chromium": chromium, "chromedriver": driver, "selenium": find_spec("selenium")}
    missing = [name for name, part in parts.items() if not part]
    if missing:
        reason = (
            f"pages are tested in a browser, and there is no {' and no '.join(missing)}: "
            "apt-get install chromium chromium-driver fonts-dejavu-core; pip install -e '.[dev]'"
        )
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = str(chromium)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(
        "--disable-features=IsolateSandboxedIframes"
    )  # else the log is silent about requests of frames
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options, ChromeService(driver))
    yield chrome
    chrome.quit()
