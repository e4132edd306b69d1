"""An exported notebook with two graphs, in a real browser: it steps, fetches nothing, and keeps its picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograd import Tensor, graph
from autograd.view.expression import parse

PRODUCT = parse("q = x + y; f = q * z", {"x": -2, "y": 5, "z": -4})
SHARED = parse("c = a * b; d = c + a; e = d * a", {"a": 2, "b": -3})
GRADIENTS = {"x": -4.0, "y": -4.0, "q = +": -4.0, "z": 3.0, "f = ×": 1.0}
SHARED_GRADIENTS = {"a": -8.0, "b": 4.0, "c = ×": 2.0, "d = +": 2.0, "e = ×": 1.0}
LEFT, RIGHT, HOME, END = "\ue012", "\ue014", "\ue011", "\ue010"
"""Keys, as WebDriver numbers them."""

WIDTHS = pytest.mark.parametrize("width", [480, 1000])


class Notebook:
    """The page, as one who reads it sees it: frame 0 shows (x + y) z, frame 1 shows (a b + a) a."""

    def __init__(self, browser: Any, path: Path, *outputs: str) -> None:
        cells = "".join(f"<div><p>In [{count}]:</p>{output}</div>" for count, output in enumerate(outputs, 1))
        path.write_text(f'<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>{cells}</body></html>', "utf-8")
        self.browser, self.address = browser, path.as_uri()
        self.resize(1000)
        browser.get("about:blank")
        self.complaints()
        self.requests()  # those of pages before
        browser.get(self.address)

    def resize(self, width: int) -> None:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run(self, script: str) -> Any:
        return self.browser.execute_script(f"return {script}")

    def enter(self, frame: int) -> None:
        self.browser.switch_to.default_content()
        self.browser.switch_to.frame(frame)

    def press(self, key: str) -> None:
        """Press a key of the keyboard in the frame that was entered."""
        self.browser.find_element("css selector", ".stepper").send_keys(key)

    @property
    def step(self) -> int:
        return int(self.run("document.querySelector('.stepper').dataset.step"))

    @property
    def last(self) -> int:
        return int(self.run("document.querySelector('input').max"))

    def gradients(self) -> dict[str, str]:
        """What stands in the gradient row of each card, by the title of the card."""
        script = (
            "[...document.querySelectorAll('.node')].map(node => "
            "['.title', '.gradient'].map(row => node.querySelector(row).textContent))"
        )
        return {title: gradient.replace("−", "-") for title, gradient in self.run(script)}

    def complaints(self) -> list[str]:
        """What the console says since this was asked last."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self) -> list[str]:
        """What was fetched since this was asked last, but for the page itself and what it brings along."""
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        sent = [message["params"] for message in messages if message["method"] == "Network.requestWillBeSent"]
        addresses = [params["request"]["url"] for params in sent]
        return [url for url in addresses if url != self.address and not url.startswith(("data:", "about:"))]


@pytest.fixture
def notebook(browser: Any, tmp_path: Path) -> Iterator[Notebook]:
    yield Notebook(browser, tmp_path / "notebook.html", graph(PRODUCT)._repr_html_(), graph(SHARED)._repr_html_())
    browser.switch_to.default_content()


def walk(notebook: Notebook) -> Iterator[int]:
    """Step from the first step to the last."""
    notebook.press(HOME)
    yield 0
    for step in range(1, notebook.last + 1):
        notebook.press(RIGHT)
        assert notebook.step == step
        yield step


def test_it_complains_of_nothing_and_fetches_nothing(notebook: Notebook) -> None:
    for frame in (0, 1):
        notebook.enter(frame)
        assert len(list(walk(notebook))) == notebook.last + 1 > 7
    assert notebook.complaints() == []
    assert notebook.requests() == []


def test_complaints_and_requests_would_be_seen(browser: Any, tmp_path: Path) -> None:
    """Proof that the test before can fail: also what happens in a frame is noticed."""
    inside = "<script>new Image().src = 'http://127.0.0.1:9/a.png'; throw Error('seen')</script>"
    notebook = Notebook(browser, tmp_path / "bad.html", f'<iframe sandbox="allow-scripts" srcdoc="{inside}"></iframe>')
    assert notebook.requests() == ["http://127.0.0.1:9/a.png"]
    assert any("seen" in complaint for complaint in notebook.complaints())


def test_keys_step_forward_and_back(notebook: Notebook) -> None:
    notebook.enter(0)
    assert notebook.step == 0
    steps = []
    for key in (RIGHT, RIGHT, LEFT, LEFT, LEFT, END, RIGHT, LEFT, HOME):
        notebook.press(key)
        steps.append(notebook.step)
    last = notebook.last
    assert steps == [1, 2, 1, 0, 0, last, last, last - 1, 0]


def test_the_slider_goes_anywhere(notebook: Notebook) -> None:
    notebook.enter(1)
    slider = notebook.browser.find_element("css selector", "input")
    slider.click()  # in its middle
    middle = notebook.step
    assert abs(middle - notebook.last / 2) <= 1
    shown = notebook.gradients()
    notebook.press(END)
    notebook.press(HOME)
    slider.click()
    assert notebook.step == middle
    assert notebook.gradients() == shown  # whichever way one came


def test_the_two_are_independent(notebook: Notebook) -> None:
    notebook.enter(0)
    notebook.press(END)
    notebook.enter(1)
    assert notebook.step == 0
    notebook.press(RIGHT)
    notebook.enter(0)
    assert notebook.step == notebook.last


@pytest.mark.parametrize(("frame", "gradients"), [(0, GRADIENTS), (1, SHARED_GRADIENTS)])
def test_it_ends_in_the_exact_gradients(notebook: Notebook, frame: int, gradients: dict[str, float]) -> None:
    notebook.enter(frame)
    assert set(notebook.gradients().values()) == {""}
    notebook.press(END)
    assert {title: float(text) for title, text in notebook.gradients().items()} == gradients


@pytest.mark.parametrize(("frame", "root"), [(0, PRODUCT), (1, SHARED)])
def test_each_backward_step_highlights_one_edge_whose_numbers_multiply(
    notebook: Notebook, frame: int, root: Tensor
) -> None:
    edges = graph(root).edges
    notebook.enter(frame)
    taken = []
    for _ in walk(notebook):
        phase, highlighted, numbers = notebook.run(
            "[document.querySelector('.stepper').dataset.phase,"
            " [...document.querySelectorAll('.edge[data-mark]')].map(edge => +edge.dataset.edge),"
            " Object.fromEntries([...document.querySelectorAll('.equation data')].map(d => [d.className, +d.value]))]"
        )
        if phase == "backward":
            (edge,) = highlighted
            taken.append(edge)
            assert set(numbers) == {"upstream", "local", "contribution"}
            assert numbers["upstream"] * numbers["local"] == numbers["contribution"]
            assert numbers["contribution"] == edges[edge].contribution.number
            assert numbers["local"] == edges[edge].local.number
    assert taken == list(range(len(edges)))


OUTSIDE = """(() => {
  const outside = [], slack = 0.5;
  const within = (text, box, words) => {
    const [a, b] = [text.getBoundingClientRect(), box.getBoundingClientRect()];
    if (a.width && (a.left < b.left - slack || a.right > b.right + slack
        || a.top < b.top - slack || a.bottom > b.bottom + slack)) outside.push(words);
  };
  for (const node of document.querySelectorAll(".node"))
    for (const text of node.querySelectorAll("text")) within(text, node.querySelector(".border"), text.textContent);
  const svg = document.querySelector("svg");
  for (const text of svg.querySelectorAll("text")) within(text, svg, "beyond the picture: " + text.textContent);
  for (const word of document.querySelectorAll(".telling data, .telling div"))
    within(word, document.querySelector(".telling"), "beyond the text: " + word.textContent);
  if (document.documentElement.scrollWidth > innerWidth) outside.push("the page is too wide");
  if (document.documentElement.scrollHeight > innerHeight) outside.push("the page is too high");
  return outside;
})()"""


@WIDTHS
@pytest.mark.parametrize("frame", [0, 1])
def test_all_text_is_inside_its_box(notebook: Notebook, frame: int, width: int) -> None:
    notebook.resize(width)
    notebook.enter(frame)
    for step in walk(notebook):
        assert notebook.run(OUTSIDE) == [], step


def test_text_outside_its_box_would_be_seen(notebook: Notebook) -> None:
    """Proof that the test before can fail."""
    notebook.enter(0)
    notebook.run("document.querySelector('.node .title').textContent = 'much too long for its card'")
    notebook.run("document.querySelector('.equation').append(' '.padEnd(400, '0'))")
    assert notebook.run(OUTSIDE)[0] == "much too long for its card"


@WIDTHS
def test_the_picture_stays_where_the_frame_is_taken_away(notebook: Notebook, width: int) -> None:
    """As notebooks do that are not trusted, and sites that show exported ones."""
    notebook.resize(width)
    notebook.run("document.querySelectorAll('iframe').forEach(frame => frame.remove())")
    pictures = notebook.run(
        "[...document.images].map(image => { const box = image.getBoundingClientRect();"
        " const there = document.elementFromPoint(box.x + box.width / 2, Math.min(box.y + 20, innerHeight - 1));"
        " const inside = box.left >= 0 && box.right <= innerWidth;"
        " return [image.complete && image.naturalWidth > 100, there === image, inside, image.alt]; })"
    )
    assert [picture[:3] for picture in pictures] == [[True, True, True]] * 2
    assert [picture[3] for picture in pictures] == [
        "Graph of f = × = −12: 5 nodes, 4 edges",
        "Graph of e = × = −8: 5 nodes, 6 edges",
    ]
