"""Each row of the lectures has one test and is shown in a notebook."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from notebooks.build import row_of, row_tests, where_shown
from tests.lectures.conftest import checklist, outcomes

HERE = Path(__file__).parent
ROWS = {"S0": range(1, 30), "S1": range(1, 34), "S2": range(1, 28), "S3": range(1, 18), "S4": range(1, 31)}
IDS = [f"{lecture}-{number:02d}" for lecture, numbers in ROWS.items() for number in numbers]


def untested(tests: list[tuple[str, str, str]]) -> list[str]:
    """What is wrong with the tests of the rows: their ids, files and docstrings."""
    found = [id for id, _, _ in tests]
    return [
        *(f"{id} has {found.count(id)} tests" for id in IDS if found.count(id) != 1),
        *(f"there is no row {id}" for id in found if id not in IDS),
        *(f"{id} stands in {file}" for id, file, _ in tests if file != f"test_{id[:2].lower()}.py"),
        *(f"{id} states no formula" for id, _, formula in tests if not formula),
    ]


def unshown(places: dict[str, list[str]]) -> list[str]:
    """What is wrong with the rows that notebooks name."""
    return [
        *(f"{id} is in no notebook" for id in IDS if not places.get(id)),
        *(f"{', '.join(names)}: there is no row {id}" for id, names in places.items() if id not in IDS),
    ]


def asserting_nothing(source: str) -> list[str]:
    """The tests in a file that cannot fail but by accident."""
    return [
        function.name
        for function in ast.parse(source).body
        if isinstance(function, ast.FunctionDef)
        and row_of(function.name)
        and not any(
            isinstance(part, ast.Assert)
            or (isinstance(part, ast.Call) and re.search(r"\b(assert_\w+|raises)$", ast.unparse(part.func)))
            for part in ast.walk(function)
        )
    ]


def test_there_are_136_rows() -> None:
    assert len(IDS) == 136


def test_each_row_has_one_test() -> None:
    assert untested(row_tests()) == []


def test_each_row_is_shown_in_a_notebook() -> None:
    assert unshown(where_shown()) == []


@pytest.mark.parametrize("lecture", ROWS)
def test_each_test_asserts_something(lecture: str) -> None:
    assert asserting_nothing((HERE / f"test_{lecture.lower()}.py").read_text("utf-8")) == []


def test_what_is_wrong_with_tests_is_found() -> None:
    right = [(id, f"test_{id[:2].lower()}.py", "a formula") for id in IDS]
    assert untested(right) == []
    assert untested(right[1:]) == ["S0-01 has 0 tests"]
    assert untested([*right, right[0]]) == ["S0-01 has 2 tests"]
    assert untested([*right, ("S4-31", "test_s4.py", "a formula")]) == ["there is no row S4-31"]
    assert untested([("S0-01", "test_s1.py", "a formula"), *right[1:]]) == ["S0-01 stands in test_s1.py"]
    assert untested([("S0-01", "test_s0.py", ""), *right[1:]]) == ["S0-01 states no formula"]


def test_what_is_wrong_with_notebooks_is_found() -> None:
    right = {id: ["01_one"] for id in IDS}
    assert unshown(right) == []
    assert unshown({**right, "S3-17": []}) == ["S3-17 is in no notebook"]
    assert unshown({**right, "S3-18": ["01_one", "02_two"]}) == ["01_one, 02_two: there is no row S3-18"]


def test_a_test_that_asserts_nothing_is_found() -> None:
    source = """
def test_S0_01_nothing():
    print(1)
def test_S0_02_something():
    np.testing.assert_allclose(1, 1)
def test_S0_03_something():
    assert 1
def test_S0_04_something():
    with pytest.raises(ValueError):
        f()
"""
    assert asserting_nothing(source) == ["test_S0_01_nothing"]


def test_checklist() -> None:
    """The command: rows that were tested, whether they hold, where they are shown and what they state."""
    command = [sys.executable, "-m", "pytest", "tests/lectures/test_s3.py", "-k", "S3_01 or S3_02", "--checklist"]
    result = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    rows = "".join(rf"{row}  passed   01.*  dC/dw = .*\n" for row in ("S3-01", "S3-02"))
    assert re.search(f"row    status   notebooks  formula\n{rows}2 of 2 rows hold\n", result.stdout)


def test_a_row_that_fails_in_one_case_fails() -> None:
    def report(test: str, outcome: str, when: str = "call") -> pytest.TestReport:
        return pytest.TestReport(f"tests/{test}", ("", 0, ""), {}, outcome, None, when)  # type: ignore[arg-type]

    stats: dict[str, list[object]] = {
        "failed": [report("test_s3.py::test_S3_02_paths[2]", "failed")],
        "passed": [report("test_s3.py::test_S3_02_paths[1]", "passed"), report("test_s3.py::test_S3_01_x", "passed")],
        "error": [report("test_s3.py::test_S3_03_x", "failed", "setup")],
        "": [report("test_s3.py::test_S3_04_x", "passed", "setup"), report("test_s3.py::test_other", "passed")],
    }
    assert outcomes(stats) == {"S3-01": "passed", "S3-02": "failed", "S3-03": "failed"}
    assert checklist({"S3-01": "passed", "S3-02": "failed"})[-1] == "1 of 2 rows hold"
