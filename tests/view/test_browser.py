"""The stepper in a real browser: headless Chromium, driven by selenium (``conftest.py`` starts it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.view.model import Graph, read
from autograd.view.stepper import stepper_html

LEFT, RIGHT, HOME, END, SPACE = "\ue012", "\ue014", "\ue011", "\ue010", " "
"""Keys, as WebDriver numbers them."""


class Page:
    """A page in the browser."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser = browser
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(path.as_uri())

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    @property
    def step(self) -> int:
        return int(self.find(".stepper").get_attribute("data-step"))

    @property
    def last(self) -> int:
        return int(self.find(".stepper input").get_attribute("max"))

    def gradients(self) -> dict[str, str]:
        """The gradients that cards show, by title."""
        found: dict[str, str] = self.run(
            "return Object.fromEntries([...document.querySelectorAll('.node')].map(card => "
            "[card.querySelector('.title').textContent, card.querySelector('.gradient').textContent]))"
        )
        return found

    def at_every_step(self, script: str, steps: Iterable[int] | None = None) -> list[Any]:
        """What a script returns at each step, in one go; the slider leads there."""
        found: list[Any] = self.run(
            f"const look = () => {{ {script} }}, slider = document.querySelector('.stepper input');"
            "return arguments[0].map(step => {"
            "  slider.value = step; slider.dispatchEvent(new Event('input', { bubbles: true })); return look(); });",
            [*range(self.last + 1)] if steps is None else [*steps],
        )
        return found

    def requests(self) -> list[str]:
        """Addresses that were asked for, but for the page itself."""
        log = "\n".join(entry["message"] for entry in self.browser.get_log("performance"))
        urls = re.findall(r'"Network.requestWillBeSent".*?"url":"([^"]*)"', log)
        return [url for url in urls if not url.startswith(("file:", "data:"))]

    def resize(self, width: int) -> None:
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


Opener = Callable[[str], Page]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Open the text of a page; afterwards, that it had no errors and asked for nothing is checked."""
    pages: list[Page] = []

    def open_page(content: str) -> Page:
        path = tmp_path / "page.html"
        path.write_text(content, "utf-8")
        pages.append(Page(browser, path))
        return pages[-1]

    yield open_page
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for page in pages:
        assert browser.get_log("browser") == []
        assert page.requests() == []


def leaf(name: str, value: Any) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def product_of_sum() -> Graph:
    """f = (x + y)z."""
    q = leaf("x", -2.0) + leaf("y", 5.0)
    q.name = "q"
    f = q * leaf("z", -4.0)
    f.name = "f"
    return read(f)


def shared_node() -> Graph:
    """e = (ab + a)a."""
    a, b = leaf("a", 2.0), leaf("b", -3.0)
    e = (a * b + a) * a
    e.name = "e"
    return read(e)


def network() -> Graph:
    """A layer, with arrays."""
    random = np.random.default_rng(0)
    x, w, b = (leaf(name, random.normal(size=size)) for name, size in (("x", (3, 2)), ("w", (2, 12)), ("b", 12)))
    h = np.tanh(x @ w + b)
    loss = np.sum(h * h) + 0.1 * np.sum(w * w)
    loss.name = "loss"
    return read(loss)


EXACT = {"x": "−4", "y": "−4", "z": "3", "q = +": "−4", "f = ×": "1"}


def test_keys_walk_to_the_exact_gradients(opened: Opener) -> None:
    page = opened(stepper_html(product_of_sum()))
    assert set(page.gradients().values()) == {""}
    for step in range(page.last):
        assert page.step == step
        page.press(RIGHT)
    assert page.step == page.last == 7
    assert page.gradients() == EXACT
    assert page.text(".equation") == "∂f/∂y += −4 × 1 = −4"
    assert page.text(".count") == "7 / 7"
    page.press(RIGHT, LEFT, LEFT)
    assert page.step == 5
    page.press(HOME)
    assert page.step == 0
    page.press(END)
    assert page.gradients() == EXACT


def test_each_backward_step_highlights_one_edge_and_its_numbers_multiply(opened: Opener) -> None:
    page = opened(stepper_html(shared_node()))
    marked = []
    for _ in range(page.last):
        page.press(RIGHT)
        if page.text(".phase") == "backward":
            edges = page.run("return [...document.querySelectorAll('.edge[data-mark]')].map(e => e.dataset.edge)")
            assert len(edges) == 1
            marked += edges
            upstream, local, contribution = (
                float(page.find(f".equation .{role}").get_attribute("value"))
                for role in ("upstream", "local", "contribution")
            )
            assert upstream * local == contribution
    assert marked == ["0", "1", "2", "3", "4", "5"]


def test_the_ledger_of_a_shared_node(opened: Opener) -> None:
    page = opened(stepper_html(shared_node()))
    ledgers, cards = [], []
    for _ in range(page.last):
        page.press(RIGHT)
        ledgers.append(page.text(".ledger"))
        cards.append(page.gradients()["a"])
    assert "∂e/∂a = −4 + 2 + (−6) = −8" in ledgers
    assert [card for card in dict.fromkeys(cards) if card] == ["−4", "−2", "−8"]


def test_slider_and_buttons(opened: Opener) -> None:
    from selenium.webdriver import ActionChains

    page = opened(stepper_html(product_of_sum()))
    slider = page.find(".stepper input")
    ActionChains(page.browser).move_to_element_with_offset(slider, slider.size["width"] // 2 - 2, 0).click().perform()
    assert page.step == page.last
    assert page.gradients() == EXACT
    page.press(LEFT)  # the slider has the focus
    assert page.step == page.last - 1
    for name, step in (("first", 0), ("next", 1), ("next", 2), ("previous", 1), ("last", 7), ("next", 7)):
        page.find(f"[data-go={name}]").click()
        assert page.step == step
    assert slider.get_attribute("value") == "7"
    assert slider.get_attribute("aria-valuetext") == "backward, step 7 of 7"


def test_what_is_shown_depends_on_the_step_alone(opened: Opener) -> None:
    page = opened(stepper_html(network()))
    state = "return document.querySelector('.stepper').outerHTML"
    forward = page.at_every_step(state)
    assert len(set(forward)) == len(forward) > 20
    assert page.at_every_step(state, range(page.last, -1, -1)) == forward[::-1]
    assert page.at_every_step(state, [3, page.last, 3]) == [forward[3], forward[-1], forward[3]]


def test_space_plays_and_pauses(opened: Opener) -> None:
    page = opened(stepper_html(product_of_sum()))
    page.press(SPACE)
    assert page.text("[data-go=play]") == "pause"
    page.press(SPACE)
    assert page.text("[data-go=play]") == "play"
    page.press(SPACE, END)  # whoever steps has stopped it
    assert page.text("[data-go=play]") == "play"
    page.find("[data-go=previous]").click()
    page.press(SPACE)  # presses the button that has the focus
    assert (page.step, page.text("[data-go=play]")) == (5, "play")


def test_two_on_one_page_are_independent(opened: Opener) -> None:
    first, second = (stepper_html(graph_()) for graph_ in (product_of_sum, shared_node))
    section = re.search(r"<section.*</section>", second, re.DOTALL)
    assert section
    page = opened(first.replace("</body>", f"<p><input id='other'></p>{section[0]}</body>"))

    def steps() -> list[str]:
        return list(page.run("return [...document.querySelectorAll('.stepper')].map(s => s.dataset.step)"))

    page.press(RIGHT)  # neither has the focus
    assert steps() == ["0", "0"]
    page.run("document.querySelectorAll('.stepper')[1].focus()")
    page.press(RIGHT, RIGHT)
    assert steps() == ["0", "2"]
    page.run("document.querySelectorAll('.stepper')[0].focus()")
    page.press(END)
    assert steps() == ["7", "2"]
    page.find("#other").send_keys("a", HOME, "b ")
    assert steps() == ["7", "2"]
    assert page.find("#other").get_attribute("value") == "b a"


@pytest.mark.parametrize("width", [480, 1000])
@pytest.mark.parametrize("made", [product_of_sum, shared_node, network])
def test_text_stays_in_its_boxes(opened: Opener, made: Callable[[], Graph], width: int) -> None:
    page = opened(stepper_html(made()))
    page.resize(width)
    outside = """
        const inside = (part, box, name) => {
          const a = part.getBoundingClientRect(), b = box.getBoundingClientRect();
          const out = a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
          return out ? [name + ': ' + part.textContent] : [];
        };
        const stepper = document.querySelector('.stepper'), telling = document.querySelector('.telling'), found = [];
        for (const card of document.querySelectorAll('.node'))
          for (const text of card.querySelectorAll('text'))
            found.push(...inside(text, card.querySelector('.card'), 'card'));
        for (const part of stepper.querySelectorAll('header *, button, .place *, .telling, .graph'))
          found.push(...inside(part, stepper, 'stepper'));
        for (const part of telling.querySelectorAll(':not(:empty)')) found.push(...inside(part, telling, 'telling'));
        if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
        return found;
    """
    assert page.at_every_step(outside) == [[]] * (page.last + 1)
    scale = page.run("const svg = document.querySelector('svg'); return svg.clientWidth / svg.viewBox.baseVal.width")
    assert scale >= 0.74  # cards stay readable; what does not fit is scrolled


def test_what_a_step_is_about_is_scrolled_into_view(opened: Opener) -> None:
    page = opened(stepper_html(network()))
    page.resize(480)
    seen = """
        const frame = document.querySelector('.graph').getBoundingClientRect();
        return [...document.querySelectorAll('.node[data-mark]')].some(card => {
          const box = card.getBoundingClientRect();
          return box.right <= frame.right && box.left >= frame.left;
        });
    """
    assert all(page.at_every_step(seen))
    assert page.run("return scrollY") == 0


@pytest.mark.parametrize(("motion", "animation"), [("reduce", "none"), ("no-preference", "stepper-flow")])
def test_reduced_motion_is_respected(opened: Opener, motion: str, animation: str) -> None:
    page = opened(stepper_html(product_of_sum()))
    features = [{"name": "prefers-reduced-motion", "value": motion}]
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    page.press(END)
    name = "return getComputedStyle(document.querySelector('.edge[data-mark] path')).animationName"
    assert page.run(name) == animation


def test_the_equation_is_announced_and_controls_have_names(opened: Opener) -> None:
    page = opened(stepper_html(product_of_sum()))
    assert page.find(".equation").get_attribute("aria-live") == "polite"
    names = [button.accessible_name for button in page.browser.find_elements("css selector", "button")]
    assert names == ["first step", "previous step", "next step", "last step", "play"]
    assert page.find("input").accessible_name == "step"


def test_without_scripts_the_whole_picture_is_there(opened: Opener) -> None:
    page = opened(re.sub(r"<script>.*?</script>", "", stepper_html(product_of_sum()), flags=re.DOTALL))
    assert page.gradients() == EXACT
    assert not page.find(".controls").is_displayed()
