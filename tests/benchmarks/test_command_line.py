"""``python -m benchmarks``: what it prints, writes and refuses."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import benchmarks
import benchmarks.__main__ as command_line
from benchmarks import checking, contest, peers
from benchmarks.__main__ import main
from benchmarks.contest import Outcome, hold
from benchmarks.peers import PEERS
from benchmarks.report import number
from benchmarks.scaling import exponent
from benchmarks.workloads import WORKLOADS
from tests.benchmarks.small import QUICK, SMALL, sizes

ONLY_US = ["--contestants", "chainrule"]


def run(capsys: Any, *arguments: str, status: int = 0) -> str:
    assert main(arguments) == status
    captured = capsys.readouterr()
    return str(captured.err if status in (1, 2) else captured.out)


def test_forms_of_a_report_agree(capsys: Any, tmp_path: Path) -> None:
    files = {form: tmp_path / f"report.{form}" for form in ("json", "markdown", "pyperf", "plot")}
    files["plot"] = tmp_path / "report.svg"
    written = [part for form, path in files.items() for part in (f"--{form}", str(path))]
    text = run(capsys, "compare", "tiny", "embedding", *QUICK, *ONLY_US, *sizes(batch=4, rows=20, taken=8), *written)
    report = json.loads(files["json"].read_text("utf-8"))
    markdown = files["markdown"].read_text("utf-8")
    assert [found["workload"] for found in report["workloads"]] == ["tiny", "embedding"]
    for found in report["workloads"]:
        row = next(line for line in markdown.splitlines() if line.startswith(f"| {found['workload']} ("))
        table = text[text.index(f"{found['workload']} (") :].splitlines()
        by_hand, ours = (next(line.split() for line in table if line.startswith(name)) for name in ("numpy", "chain"))
        entries = {entry["contestant"]: entry for entry in found["entries"]}
        assert ours[5] == number(entries["chainrule"]["ratio"]["median"])
        assert row.split(" | ")[1:] == [f"{by_hand[1]} {by_hand[2]}", f"{ours[5]} ({ours[1]} {ours[2]}) |"]
        assert entries["chainrule"]["seconds"]["step"] == [entries["chainrule"]["figures"]["step"]["median"]]
    assert "<svg" in files["plot"].read_text("utf-8")
    assert [one["metadata"]["name"] for one in json.loads(files["pyperf"].read_text("utf-8"))["benchmarks"]] == [
        "tiny numpy",
        "tiny chainrule",
        "embedding numpy",
        "embedding chainrule",
    ]
    assert text.startswith("tiny (batch=4): training step 10-32-32-2, tanh, batch 32, float32\n")
    for said in (text, markdown):
        assert re.search(r"cores; threads of each contestant: all; .*; load before ", said)
        assert re.search(r"^Python 3\..*, NumPy 2\..* with .*\.$", said, re.MULTILINE)


def test_run_tells_parts_and_memory(capsys: Any, tmp_path: Path) -> None:
    plot, markdown = tmp_path / "r.png", tmp_path / "r.md"
    text = run(capsys, "run", "tiny", *QUICK, *sizes(batch=4), "--plot", str(plot), "--markdown", str(markdown))
    table = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    assert ["forward", "backward", "step", "spread", "× by hand", "peak", "kept", "nodes", "process"] in table
    (ours,) = (line for line in table if line[0] == "chainrule")
    assert ours[-2] == "13"
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert f"| {' | '.join(['tiny (batch=4)', *ours])} |" in markdown.read_text("utf-8").splitlines()
    assert re.search(r"^- .*: not written for this workload$", text, re.MULTILINE)


def test_float64_and_sizes_are_obeyed(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    run(capsys, "run", "elementwise", *QUICK, *ONLY_US, *sizes(size=64), "--dtype", "float64", "--json", str(path))
    (found,) = json.loads(path.read_text("utf-8"))["workloads"]
    assert (found["dtype"], found["sizes"]) == ("float64", {"size": 64})
    assert next(entry["measures"]["kept"] for entry in found["entries"] if entry["contestant"] == "numpy") == 3 * 8 * 64


def test_ctrl_c_prints_what_is_finished(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []
    turn = contest.Contest.turn

    def interrupted(self: contest.Contest, *arguments: Any) -> None:
        if held == ["tiny", "embedding"]:
            raise KeyboardInterrupt
        turn(self, *arguments)

    def noted(workload: Any, *arguments: Any) -> Outcome:
        held.append(workload.name)
        return hold(workload, *arguments)

    monkeypatch.setattr(contest.Contest, "turn", interrupted)
    monkeypatch.setattr(command_line, "hold", noted)
    path = tmp_path / "r.json"
    small = sizes(batch=4, rows=20, taken=8)
    names = ["tiny", "embedding", "cross-entropy"]
    text = run(capsys, "compare", *names, *QUICK, *ONLY_US, *small, "--json", str(path), status=130)
    assert "\nchainrule" in text
    assert "Interrupted: the rest was not measured." in text
    assert "embedding" not in text
    assert [found["workload"] for found in json.loads(path.read_text("utf-8"))["workloads"]] == ["tiny"]


def test_what_is_wrong_is_said_and_fails(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "WORKER", Path(__file__).with_name("wrong_worker.py"))
    monkeypatch.setenv("WRONG", "gradient")
    message = run(capsys, "compare", "tiny", *QUICK, *ONLY_US, status=1)
    assert message == (
        "tiny: chainrule is wrong: update 1 is off by 1.0e-02 of its largest element, where 2e-03 is allowed\n"
    )


# The other commands


def test_scale_fits_an_exponent(capsys: Any, tmp_path: Path) -> None:
    plot, path, markdown = tmp_path / "s.svg", tmp_path / "s.json", tmp_path / "s.md"
    files = ["--plot", str(plot), "--json", str(path), "--markdown", str(markdown)]
    text = run(capsys, "scale", "scalar-chain", "--values", "30,300", *QUICK, *files)
    lines = [line.split() for line in text.splitlines()]
    assert lines[0][:3] == ["scalar-chain", "by", "length:"]
    assert [line[0] for line in lines[1:6]] == ["length", "30", "300", "exponent", "at"]
    found = json.loads(path.read_text("utf-8"))
    assert [size for size, _ in found["points"]["chainrule"]] == [30, 300]
    assert lines[4][lines[1].index("chainrule")] == f"{found['exponents']['chainrule']:.2f}"
    assert f"| {' | '.join(lines[4])} |" in markdown.read_text("utf-8")
    assert "<svg" in plot.read_text("utf-8")


def test_the_exponent_is_the_slope_of_logarithms() -> None:
    assert exponent([(10, 2.0), (100, 200.0), (1000, 20_000.0)]) == pytest.approx(2)
    assert exponent([(10, 2.0)]) is None


def test_profile_charges_operations(capsys: Any, tmp_path: Path) -> None:
    path, markdown = tmp_path / "p.json", tmp_path / "p.md"
    files = ["--json", str(path), "--markdown", str(markdown)]
    text = run(capsys, "profile", "tiny", "--steps", "2", *sizes(batch=4), *files)
    found = json.loads(path.read_text("utf-8"))["workloads"]["tiny"]
    assert {name: (row["calls"], row["edges"]) for name, row in found["ops"].items()} == {
        "affine": (3, 8),  # the first input requires no grad
        "tanh": (2, 2),
        "softmax_cross_entropy": (1, 1),
        "output": (0, 1),
    }
    charged = sum(row["forward"] + row["backward"] for row in found["ops"].values())
    assert charged + found["rest"] == pytest.approx(found["watched"], rel=0.2)
    shares = [float(line.split()[-2]) for line in text.splitlines() if line.endswith(" %")]
    assert sum(shares[:-1]) == pytest.approx(100, abs=20)
    assert "| op | calls | forward | edges | backward | share |" in markdown.read_text("utf-8")


def test_check_finds_a_planted_regression(capsys: Any, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    arguments = ["check", "tiny", *QUICK, *sizes(batch=4), "--baseline", str(path)]
    assert run(capsys, *arguments, "--update") == f"baseline in {path}\n"
    ours = json.loads(path.read_text("utf-8"))["tiny"]["chainrule"]

    def checked(baseline: dict[str, Any]) -> tuple[int, str, str]:
        path.write_text(json.dumps({"tiny": baseline}), "utf-8")
        status = main([*arguments, "--margin", "1000"])
        said = capsys.readouterr()
        return status, said.out, said.err

    status, out, err = checked({"chainrule": ours | {"ratio": 1e4}})
    assert (status, err) == (0, "")
    assert "regressed" not in out
    assert "Some are so much less that the baseline should follow: check --update\n" in out

    counts = ours["counts"] | {"nodes": ours["counts"]["nodes"] - 1}
    status, out, err = checked({"chainrule": ours | {"ratio": 1e-4, "counts": counts}})
    assert (status, out.count("regressed")) == (1, 2)
    nodes, ratio = err.splitlines()
    assert nodes == "tiny: chainrule: nodes has grown from 12 to 13, more than 12"
    assert re.fullmatch(r"tiny: chainrule: ratio has grown from 0\.0001 to \S+, more than 0\.10", ratio)

    status, out, err = checked({"compiled-once": ours})
    assert (status, err) == (1, "tiny: compiled-once is in the baseline, but has no figures now\n")
    assert "tiny: chainrule is not in the baseline; add it with check --update\n" in out


def test_the_stored_baseline_has_all_workloads() -> None:
    baseline = checking.read(checking.BASELINE)
    assert {name: {*found} for name, found in baseline.items()} == {
        name: {*checking.CHECKED}.intersection(workload.contestants()).difference(workload.slow)
        for name, workload in WORKLOADS.items()
    }
    assert all("ratio" in entry for found in baseline.values() for entry in found.values())


def test_list(capsys: Any) -> None:
    text = run(capsys, "list")
    for name, workload in WORKLOADS.items():
        assert f"{name}: {workload.title}\n" in text


def test_the_readme_names_all_workloads_and_commands() -> None:
    text = Path(benchmarks.__file__).with_name("README.md").read_text("utf-8")
    assert re.findall(r"^- \*\*([\w-]+)\*\*: ", text, re.MULTILINE) == list(WORKLOADS)
    rows = re.findall(r"^\| (`.*`) \| \w", text, re.MULTILINE)
    assert {name.split()[0] for row in rows for name in re.findall(r"`(.*?)`", row)} == command_line.COMMANDS.keys()


# Peers


def test_peers_list_says_how_to_get_them(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_PEERS", str(tmp_path))
    assert run(capsys, "peers", "list", "hips") == (
        "hips       HIPS autograd    not installed: python -m benchmarks peers install hips\n"
    )
    monkeypatch.setattr(peers.shutil, "which", lambda program: None)
    assert run(capsys, "peers", "list", "tinygrad").endswith("needs clang, which is not installed\n")


def test_peers_install_makes_an_environment(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_PEERS", str(tmp_path))
    commands = []

    def create(place: Path, **options: Any) -> None:
        python = peers.own_interpreter(place.name)
        python.parent.mkdir(parents=True)
        python.touch()

    monkeypatch.setattr(peers.venv, "create", create)
    monkeypatch.setattr(peers.subprocess, "run", lambda command, check: commands.append(command))
    text = run(capsys, "peers", "install", "hips")
    (command,) = commands
    assert command[0] == str(peers.own_interpreter("hips"))
    assert "autograd" in command
    assert text == f"hips       HIPS autograd    {command[0]}\n"


def test_a_peer_that_cannot_be_installed_is_taken_away(
    capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINRULE_PEERS", str(tmp_path))

    def create(place: Path, **options: Any) -> None:
        place.mkdir()
        raise OSError("no room")

    monkeypatch.setattr(peers.venv, "create", create)
    assert run(capsys, "peers", "install", "mygrad", status=2) == (
        f"python -m benchmarks peers: mygrad could not be installed in {tmp_path / 'mygrad'}: no room; "
        "see what pip says above, and try again\n"
    )
    assert not (tmp_path / "mygrad").exists()


# What is refused

FILES = ["--json", "--markdown", "--pyperf", "--plot"]
NOWHERE = "there is no folder /nowhere for /nowhere/f.svg; make it first"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "huge"], f"there is no workload 'huge'; choose from {', '.join(WORKLOADS)}"),
        (
            ["compare", "tiny", "--contestants", "theano"],
            "there is no contestant 'theano'; choose from numpy, numpy-buffers, chainrule, compiled, torch, jax, hips, "
            "mygrad, micrograd, tinygrad",
        ),
        (["run", "tiny", "--size", "batch"], "--size batch: give a name and a positive integer, such as batch=64"),
        (
            ["run", "elementwise", "--size", "depth=3"],
            "--size depth=3: sizes of the chosen workloads are size",
        ),
        (["run", "tiny", "--threads", "-1"], "--threads -1: give a positive number, or 0 for all"),
        (["scale", "tiny", "--by", "height"], "tiny does not grow by 'height'; it grows by batch, width, depth"),
        *((["run", "tiny", option, "/nowhere/f.svg"], NOWHERE) for option in FILES),
        (["check", "tiny", "--update", "--baseline", "/nowhere/f.svg"], NOWHERE),
        (["scale", "tiny", "--plot", "/g.gif"], "a plot is drawn as .svg, .png, .pdf, not as '.gif': '/g.gif'"),
        (["peers", "install", "theano"], f"there is no peer 'theano'; choose from {', '.join(PEERS)}"),
        (
            ["check", "tiny", "--baseline", "/nowhere/at/all"],
            "there is no baseline /nowhere/at/all; write it with check --update",
        ),
    ],
)
def test_what_cannot_be_done_is_refused(capsys: Any, arguments: list[str], message: str) -> None:
    assert run(capsys, *arguments, status=2) == f"python -m benchmarks {arguments[0]}: {message}\n"


def test_without_pyperf_the_cure_is_named(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyperf", None)
    assert run(capsys, "run", "tiny", status=2) == (
        "python -m benchmarks run: pyperf is needed, but not installed: pip install -e '.[bench]'\n"
    )


def test_without_matplotlib_the_cure_is_named(capsys: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    plot = ["--plot", str(tmp_path / "r.svg")]
    assert run(capsys, "compare", "tiny", *QUICK, *ONLY_US, *plot, status=2) == (
        "python -m benchmarks compare: a plot needs matplotlib; run pip install 'chainrule[plot]'\n"
    )


def test_small_sizes_are_sizes() -> None:
    for name, values in SMALL.items():
        assert values.keys() <= WORKLOADS[name].sizes.keys()
