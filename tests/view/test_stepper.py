"""What the stepper tells, step by step; what a browser makes of it is in test_browser.py."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from autograd import Tensor
from autograd.view.collapse import folded, neighbourhood
from autograd.view.model import Graph, GraphEdge, Summary, read
from autograd.view.stepper import Step, Walk, stepper_html, text


def leaf(name: str, value: Any) -> Tensor:
    return Tensor(value, requires_grad=True, name=name)


def named(name: str, tensor: Tensor) -> Tensor:
    tensor.name = name
    return tensor


def product_of_sum() -> Graph:
    """f = (x + y)z."""
    x, y, z = leaf("x", -2.0), leaf("y", 5.0), leaf("z", -4.0)
    return read(named("f", named("q", x + y) * z))


def shared_node() -> Graph:
    """e = (ab + a)a."""
    a, b = leaf("a", 2.0), leaf("b", -3.0)
    return read(named("e", named("d", named("c", a * b) + a) * a))


def lines(steps: list[Step], phase: str = "backward") -> list[str]:
    return [text(step.equation) for step in steps if step.phase == phase]


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_the_steps_of_a_product_of_a_sum() -> None:
    steps = Walk(product_of_sum()).steps
    assert [step.phase for step in steps] == ["forward"] * 3 + ["seed"] + ["backward"] * 4
    assert [text(step.equation) for step in steps] == [
        "x = −2,  y = 5,  z = −4",
        "q = x + y = −2 + 5 = 3",
        "f = q × z = 3 × (−4) = −12",
        "∂f/∂f = 1",
        "∂f/∂q += 1 × −4 = −4",
        "∂f/∂z += 1 × 3 = 3",
        "∂f/∂x += −4 × 1 = −4",
        "∂f/∂y += −4 × 1 = −4",
    ]
    assert [text(step.caption) for step in steps[-2:]] == [
        "upstream ∂f/∂q × local ∂q/∂x = contribution",
        "upstream ∂f/∂q × local ∂q/∂y = contribution",
    ]
    assert [step.ledger for step in steps] == [[]] * 8
    assert steps[6].marks == {"n3": "upstream", "n0": "contribution"}


def test_the_numbers_of_a_backward_step_multiply_and_have_their_roles() -> None:
    for step in Walk(shared_node()).steps:
        if step.phase == "backward":
            numbers = {word.role: word.number for word in step.equation if word.role}
            assert list(numbers) == ["upstream", "local", "contribution"]
            upstream, local, contribution = numbers.values()
            assert upstream is not None
            assert local is not None
            assert upstream * local == contribution


def test_the_ledger_adds_up_where_contributions_meet() -> None:
    steps = Walk(shared_node()).steps
    assert [text(step.ledger) for step in steps if step.ledger] == [
        "∂e/∂a = −4 so far, 2 more to come",
        "∂e/∂a = −4 + 2 = −2 so far, 1 more to come",
        "∂e/∂a = −4 + 2 + (−6) = −8",
    ]


def test_an_argument_that_is_used_twice_has_two_steps() -> None:
    a = leaf("a", 3.0)
    steps = Walk(read(named("f", a + a))).steps
    assert lines(steps) == ["∂f/∂a += 1 × 1 = 1", "∂f/∂a += 1 × 1 = 1"]
    assert [text(step.caption).split(" = ")[1] for step in steps[-2:]] == [
        "contribution (a as argument 1)",
        "contribution (a as argument 2)",
    ]
    assert text(steps[-1].ledger) == "∂f/∂a = 1 + 1 = 2"


def test_cards_show_the_sum_until_now() -> None:
    gradients = Walk(shared_node()).gradients["n0"]
    assert [(arrived.total.number, arrived.whole) for arrived in gradients] == [(-4, False), (-2, False), (-8, True)]


def test_nodes_without_a_name_are_called_by_their_formula() -> None:
    x = leaf("x", 3.0)
    steps = Walk(read(-(np.tanh(x) * 2.0))).steps
    assert lines(steps, "forward")[1:] == [
        "tanh(x) = tanh(3) = 0.9951",
        "tanh(x) × 2 = 0.9951 × 2 = 1.99",
        "−(tanh(x) × 2) = −1.99 = −1.99",
    ]
    assert lines(Walk(read(named("f", (x * x + 2.5 * x) * 2.0))).steps)[0] == "∂f/∂(… + …) += 1 × 2 = 2"
    assert lines(steps, "seed") == ["∂(−(tanh(x) × 2))/∂(−(tanh(x) × 2)) = 1"]


def test_arrays_show_shape_size_and_heat_map() -> None:
    x, w, b = leaf("x", np.ones((3, 2))), leaf("w", np.ones((2, 4))), leaf("b", np.zeros(4))
    steps = Walk(read(named("f", np.sum(named("p", x @ w) + b)))).steps
    assert lines(steps) == [
        "∂f/∂(p + b) += 1 → adjoint of sum → [3×4] rms 1",
        "∂f/∂p += [3×4] rms 1 × 1 = [3×4] rms 1",
        "∂f/∂b += [3×4] rms 1 × 1 = [4] rms 3",
        "∂f/∂x += [3×4] rms 1 → adjoint of @ → [3×2] rms 4",
        "∂f/∂w += [3×4] rms 1 → adjoint of @ → [2×4] rms 3",
    ]
    assert text(steps[-3].caption) == (
        "upstream ∂f/∂(p + b) × local ∂(p + b)/∂b, summed to the shape of b = contribution"
    )
    assert text(steps[-1].caption) == (
        "upstream ∂f/∂p carried back through matmul, which has no local derivative per element, gives the contribution"
    )
    assert steps[-1].equation[-1].cells == ((3.0,) * 4,) * 2


def test_heat_maps_of_contributions_add_up() -> None:
    x = leaf("x", np.array([1.0, 2.0]))
    steps = Walk(read(named("f", np.sum(x * 3.0 + x * x + x)))).steps
    ledgers = [step.ledger for step in steps if step.ledger]
    assert [words[-2].cells for words in ledgers[1:3]] == [((2.0, 3.0),), ((3.0, 5.0),)]
    assert text(ledgers[2]).endswith(" + [2] rms 1.581 = the sum so far, 1 more to come")
    assert text(ledgers[-1]).endswith(" = [2] rms 7.071")  # 1 + x + x + 3


def test_long_sums_are_abridged() -> None:
    x = leaf("x", 1.0)
    total = x * 1.0
    for factor in range(2, 11):
        total = total + x * float(factor)
    ledger = text(Walk(read(named("f", total))).steps[-1].ledger)
    assert ledger.startswith("∂f/∂x = … + ")
    assert ledger.endswith(" = 55")
    assert ledger.count("+") == 6


def test_a_leaf_alone() -> None:
    steps = Walk(read(leaf("x", 2.0))).steps
    assert [text(step.equation) for step in steps] == ["x = 2", "∂x/∂x = 1"]


def test_part_of_a_graph_claims_no_false_sum() -> None:
    near = neighbourhood(shared_node(), "n2", hops=1)  # c = ab with its arguments and d, but not e
    steps = Walk(near).steps
    assert lines(steps, "seed") == ["∂result/∂result = 2"]
    assert [text(step.ledger) for step in steps if step.ledger][-1] == "∂result/∂a = 2 + (−6) + … = −8"


def test_a_node_that_stands_for_several() -> None:
    y = leaf("x", 1.0)
    for _ in range(12):
        y = y * 2.0 + 1.0
    steps = Walk(folded(read(y))).steps
    assert lines(steps, "forward") == ["x = 1", "×, + ×12(x) = ×, + ×12(1) = 8191"]
    assert lines(steps) == ["∂(×, +)/∂x += 1 → adjoint of ×, + ×12 → 4096"]
    assert "through ×, + ×12, which stands for several nodes" in text(steps[-1].caption)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite(number: float) -> None:
    x = leaf("x", number)
    page = stepper_html(read(x * x))
    assert "NaN" in page or "∞" in page
    data_of(page)


def test_the_page_is_small_the_same_and_complete() -> None:
    page = stepper_html(product_of_sum())
    assert len(page.encode()) < 30_000
    assert page == stepper_html(product_of_sum())
    assert "<title>f = q × z</title>" in page
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|@import|fetch\(""", page)
    assert len(data_of(page)["steps"]) == 8


def test_names_cannot_break_out_of_the_page() -> None:
    evil = '</script><script>alert("&\'")</script><!--'
    page = stepper_html(read(leaf(evil, 1.0) * 2.0), title=evil)
    assert page.count("<script") == page.count("</script>") == 2
    assert "<!--" not in page
    assert data_of(page)["steps"][0]["equation"][0] == [f"{evil} = "]


def test_long_chains_do_not_recurse() -> None:
    steps = 5_000
    x = read(leaf("x", 1.0) * 1.0)
    nodes, edges = list(x.nodes), []
    one = Summary(1.0, 1.0, 1.0, 1.0, True, ())
    for number in range(steps):
        nodes.append(x.root._replace(id=f"m{number}", gradient=one))
        edges.append(GraphEdge(nodes[-2].id, nodes[-1].id, 0, one, one))
    walk = Walk(Graph((*nodes,), (*reversed(edges), *x.edges), ""))
    assert len(walk.steps) == 2 * steps + 4
