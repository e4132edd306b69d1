"""``python -m autograd notebooks``, as a student meets it: JupyterLab in a real browser."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ALONE = ["--no-browser", "--allow-root", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
TOKEN = "chain"
RIGHT = "\ue014"
"""The arrow key, as WebDriver numbers it."""
MENU = "//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='{}']"
ENTRY = "//div[contains(@class, 'lm-Menu-itemLabel') and text()='{}']"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """The address of a JupyterLab that the command has opened; it ends with Ctrl-C."""
    pytest.importorskip("jupyterlab")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    settings = {name: str(tmp_path / name.lower()) for name in folders} | {"JUPYTER_TOKEN": TOKEN}
    command = [sys.executable, "-m", "autograd", "notebooks", f"--port={port}", "--ServerApp.port_retries=0", *ALONE]
    log = tmp_path / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command, env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
    try:
        wait(lambda: "Use Control-C" in log.read_text() or process.poll() is not None)
        assert process.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{port}/lab/tree/{{}}?token={TOKEN}&reset"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "Traceback" not in log.read_text()


def wait(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def test_the_first_notebook(browser: Any, lab: str) -> None:
    """Before it is trusted its graphs are pictures; after Run All Cells they step."""

    def shown(selector: str) -> list[Any]:
        found: list[Any] = browser.find_elements("css selector", f".jp-OutputArea {selector}")
        return found

    def kernel(status: str) -> list[Any]:
        found: list[Any] = browser.find_elements(
            "css selector", f".jp-Notebook-ExecutionIndicator[data-status={status}]"
        )
        return found

    browser.set_window_size(1400, 1200)
    browser.get(lab.format("01_chain_rule.ipynb"))
    wait(lambda: shown("img[src^='data:image/svg+xml']") and kernel("idle"))
    assert shown("img[src^='data:image/png']")
    assert shown("iframe") == []
    for path in (MENU.format("Run"), ENTRY.format("Run All Cells")):
        wait(lambda path=path: browser.find_elements("xpath", path))
        browser.find_element("xpath", path).click()
    wait(lambda: shown("iframe"))
    wait(lambda: kernel("idle"))  # and nothing moves any more
    frame = shown("iframe")[0]
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", frame)
    browser.switch_to.frame(frame)
    try:
        before = browser.find_element("css selector", ".count").text
        browser.find_element("css selector", ".stepper").send_keys(RIGHT)
        assert browser.find_element("css selector", ".count").text != before == "0" + before[1:]
    finally:
        browser.switch_to.default_content()
