"""``python -m pytest tests/lectures --checklist`` lists the rows, what they state and whether it holds."""

from __future__ import annotations

import pytest

from notebooks.build import row_of, row_tests, where_shown


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--checklist", action="store_true", help="list the rows of the lectures that were tested")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("checklist", default=False):
        terminalreporter.section("rows of the lectures")
        for line in checklist(outcomes(terminalreporter.stats)):
            terminalreporter.write_line(line)


def outcomes(stats: dict[str, list[object]]) -> dict[str, str]:
    """Return what became of each row that was tested: it passed if all its cases did."""
    reports = [report for group in stats.values() for report in group if isinstance(report, pytest.TestReport)]
    found: dict[str, str] = {}
    for report in reports:
        id = row_of(report.nodeid.rpartition("::")[2])
        if id is not None and (report.when == "call" or not report.passed) and found.get(id) != "failed":
            found[id] = report.outcome
    return found


def checklist(outcomes: dict[str, str]) -> list[str]:
    """Return a table: each row, what became of its test, the notebooks that show it, and what it states."""
    places = where_shown()
    lines = ["row    status   notebooks  formula"]
    for id, _, formula in row_tests():
        if id in outcomes:
            numbers = ", ".join(name[:2] for name in places.get(id, []))
            lines.append(f"{id}  {outcomes[id]:7}  {numbers:9}  {formula}")
    return [*lines, f"{list(outcomes.values()).count('passed')} of {len(outcomes)} rows hold"]
