"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograd.files import destination, destination_of_plot
from benchmarks import checking, plots
from benchmarks.contest import Options, Outcome, ProcessError, hold, profile, turns
from benchmarks.machine import machine
from benchmarks.peers import PEERS, PeerError, install, places
from benchmarks.report import Profile, Report, write
from benchmarks.scaling import scale
from benchmarks.workload import CONTESTANTS, OURS, YARDSTICK, Workload
from benchmarks.workloads import WORKLOADS

DEFAULT = Options()


def parser() -> argparse.ArgumentParser:
    """Return what reads the options."""
    top = argparse.ArgumentParser(
        prog="python -m benchmarks", description="How fast the backward pass is, here and elsewhere."
    )
    commands = top.add_subparsers(dest="command", required=True)

    run = commands.add_parser("run", help="what each part of a step costs here, in time and memory")
    compare = commands.add_parser("compare", help="the time of a step beside that of every peer that is installed")
    for one in (run, compare):
        add_workloads(one)
        add_contest(one)
        add_files(one)
        one.add_argument("--pyperf", metavar="FILE", help="write the rounds as pyperf's JSON, for its commands")
        one.add_argument("--plot", metavar="FILE", help="draw it, .svg, .png or .pdf")

    growth = commands.add_parser(
        "scale", help="how the cost grows with the length, width, batch or depth of a workload"
    )
    growth.add_argument("workload", metavar="WORKLOAD", help="which (see list)")
    growth.add_argument("--by", metavar="SIZE", help="the size that grows; by default the first that the workload has")
    growth.add_argument("--values", type=integers, metavar="N,N", help="its values")
    add_contest(growth)
    add_files(growth)
    growth.add_argument("--plot", metavar="FILE", help="draw it on logarithmic axes, .svg, .png or .pdf")

    where = commands.add_parser("profile", help="where the time of a step goes, by operation, forward and backward")
    add_workloads(where)
    where.add_argument("--steps", type=positive, default=20, metavar="N", help="to average over (%(default)s)")
    add_conditions(where)
    add_files(where)

    check = commands.add_parser("check", help="whether anything costs more than a stored baseline; status 1 if it does")
    add_workloads(check)
    add_contest(check)
    check.add_argument("--baseline", type=Path, default=checking.BASELINE, metavar="FILE", help="the stored one")
    check.add_argument(
        "--margin",
        type=amount,
        default=1.5,
        metavar="X",
        help="how many times the stored ratio one may be (%(default)s)",
    )
    check.add_argument("--update", action="store_true", help="store what is measured now")

    peers = commands.add_parser("peers", help="the environments of the libraries to compare with")
    peers.add_argument("action", choices=("install", "list"), help="make them, or say where they are")
    peers.add_argument("names", nargs="*", metavar="PEER", help=f"which ({', '.join(PEERS)}); by default all")
    commands.add_parser("list", help="the workloads, who does them, and their sizes")
    return top


def add_workloads(one: argparse.ArgumentParser) -> None:
    """Add the names of workloads."""
    one.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which (see list); by default all")


def add_conditions(one: argparse.ArgumentParser) -> None:
    """Add what a workload may be given."""
    one.add_argument("--dtype", choices=("float32", "float64"), help="by default each workload's own, mostly float32")
    one.add_argument("--size", action="append", default=[], metavar="NAME=N", help="another size, such as batch=64")
    one.add_argument(
        "--threads", type=int, default=DEFAULT.threads, metavar="N", help="of each contestant; 0 for all (%(default)s)"
    )


def add_contest(one: argparse.ArgumentParser) -> None:
    """Add how a contest is held."""
    one.add_argument("--contestants", metavar="NAME,NAME", help=f"who, of {', '.join(CONTESTANTS)}")
    one.add_argument("--rounds", type=positive, default=DEFAULT.rounds, metavar="N", help="turns of each (%(default)s)")
    one.add_argument(
        "--seconds", type=amount, default=DEFAULT.seconds, metavar="S", help="of these turns together (%(default)s)"
    )
    add_conditions(one)


def add_files(one: argparse.ArgumentParser) -> None:
    """Add where a report goes besides."""
    one.add_argument("--json", metavar="FILE", help="write everything")
    one.add_argument("--markdown", metavar="FILE", help="write a Markdown table")


# What options mean


def positive(text: str) -> int:
    """A positive integer."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def amount(text: str) -> float:
    """A positive number."""
    value = float(text)
    if not value > 0:
        raise ValueError(text)
    return value


def integers(text: str) -> list[int]:
    """Positive integers with commas between them."""
    return [positive(part) for part in text.split(",")]


def chosen(names: Iterable[str]) -> list[Workload]:
    """The workloads of these names; all if there are none."""
    names = list(names)
    for name in names:
        if name not in WORKLOADS:
            raise ValueError(f"there is no workload {name!r}; choose from {', '.join(WORKLOADS)}")
    return [WORKLOADS[name] for name in names or WORKLOADS]


def contestants(text: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """The contestants of a list with commas; the yardstick is always among them."""
    if text is None:
        return tuple(default)
    names = text.split(",")
    for name in names:
        if name not in CONTESTANTS:
            raise ValueError(f"there is no contestant {name!r}; choose from {', '.join(CONTESTANTS)}")
    return (YARDSTICK, *(name for name in names if name != YARDSTICK))


def sizes(texts: Iterable[str], workloads: Sequence[Workload]) -> dict[str, int]:
    """The sizes that are given as NAME=N; each must be one of a workload at least."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value.isdecimal() or int(value) < 1:
            raise ValueError(f"--size {text}: give a name and a positive integer, such as batch=64")
        known = {known for workload in workloads for known in workload.sizes}
        if name not in known:
            raise ValueError(f"--size {text}: sizes of the chosen workloads are {', '.join(sorted(known)) or 'none'}")
        found[name] = int(value)
    return found


def conditions(given: argparse.Namespace, workloads: Sequence[Workload]) -> dict[str, Any]:
    """What workloads are given, as options of a contest."""
    if given.threads < 0:
        raise ValueError(f"--threads {given.threads}: give a positive number, or 0 for all")
    return {"threads": given.threads, "dtype": given.dtype, "sizes": sizes(given.size, workloads)}


def options_of(given: argparse.Namespace, workloads: Sequence[Workload], default: Sequence[str]) -> Options:
    """How contests are held."""
    return Options(
        contestants=contestants(given.contestants, default),
        rounds=given.rounds,
        seconds=given.seconds,
        parts=given.command == "run",
        **conditions(given, workloads),
    )


def check_files(given: argparse.Namespace) -> None:
    """Raise an error if a file that is asked for cannot be written."""
    named = [getattr(given, option, None) for option in ("json", "markdown", "pyperf")]
    for path in filter(None, [*named, given.baseline if getattr(given, "update", False) else None]):
        destination(path)
    if plot := getattr(given, "plot", None):
        destination_of_plot(plot)


# Commands


def contests(given: argparse.Namespace) -> int:
    """``run`` and ``compare``."""
    workloads = chosen(given.workloads)
    running = given.command == "run"
    options = options_of(given, workloads, OURS if running else tuple(CONTESTANTS))
    report = Report(given.command, machine(options.threads), [])
    report.outcomes, report.interrupted = all_held([(workload, options) for workload in workloads], measured=running)
    print(report.text(), flush=True)
    write(report, given.json, given.markdown)
    rounds = report.suite()
    if given.pyperf and rounds is not None:
        rounds.dump(given.pyperf, replace=True)
        print(f"rounds in {given.pyperf}")
    if given.plot and rounds is not None:
        plots.contests(report, given.plot)
        print(f"picture in {given.plot}")
    return status(report.wrong(), report.interrupted)


def all_held(contests: Sequence[tuple[Workload, Options]], measured: bool) -> tuple[list[Outcome], bool]:
    """The outcomes of all contests, and whether Ctrl-C came before the end."""
    outcomes: list[Outcome] = []
    with bar(sum(turns([workload], options) for workload, options in contests), "turn") as progress:
        for workload, options in contests:
            progress.set_description(workload.name)
            outcomes.append(hold(workload, options, progress.update, measured))
            if not outcomes[-1].complete:
                return outcomes, True
    return outcomes, False


def status(wrong: Sequence[str], interrupted: bool) -> int:
    """Say what is wrong, and return the exit status."""
    for complaint in wrong:
        print(complaint, file=sys.stderr)
    return 130 if interrupted else 1 if wrong else 0


def bar(total: int, unit: str) -> Any:
    """A progress bar, where somebody looks."""
    return tqdm(total=total, unit=unit, disable=None, leave=False)


def scaling(given: argparse.Namespace) -> int:
    """``scale``."""
    (workload,) = chosen([given.workload])
    size = given.by or next(iter(workload.grows), "")
    if size not in workload.grows:
        raise ValueError(
            f"{workload.name} does not grow by {size!r}; it grows by {', '.join(workload.grows) or 'none'}"
        )
    values = given.values or workload.grows[size]
    options = options_of(given, [workload], (YARDSTICK, "chainrule", "compiled"))
    with bar(len(values) * turns([workload], options), "turn") as progress:
        found = scale(workload, size, values, options, machine(options.threads), progress.update)
    print(found.text(), flush=True)
    write(found, given.json, given.markdown)
    if given.plot and found.contestants():
        plots.growth(found, given.plot)
        print(f"picture in {given.plot}")
    report = Report("scale", found.machine, found.outcomes)
    return status(report.wrong(), found.interrupted)


def profiling(given: argparse.Namespace) -> int:
    """``profile``."""
    workloads = [workload for workload in chosen(given.workloads) if workload.sizes]
    options = Options(contestants=("chainrule",), **conditions(given, workloads))
    report = Profile(machine(options.threads), {})
    with bar(len(workloads), "workload") as progress:
        for workload in workloads:
            progress.set_description(workload.name)
            try:
                report.found[workload.name] = profile(workload, options, given.steps)
            except KeyboardInterrupt:
                report.interrupted = True
                break
            progress.update()
    print(report.text(), flush=True)
    write(report, given.json, given.markdown)
    return 130 if report.interrupted else 0


def checks(given: argparse.Namespace) -> int:
    """``check``."""
    workloads = chosen(given.workloads)
    options = options_of(given, workloads, (YARDSTICK, *checking.CHECKED))
    baseline = {} if given.update else checking.read(given.baseline)
    outcomes, interrupted = all_held(
        [(workload, checking.without_slow(workload, options)) for workload in workloads], measured=True
    )
    complete = [outcome for outcome in outcomes if outcome.complete]
    wrong = Report("check", {}, outcomes).wrong()
    if given.update:
        if wrong or interrupted:
            print(f"{given.baseline} was left as it was")
        else:
            checking.write(checking.baseline_of(complete), given.baseline)
            print(f"baseline in {given.baseline}")
        return status(wrong, interrupted)
    verdicts = checking.compared(baseline, complete, given.margin)
    print(checking.table(verdicts), flush=True)
    for new in checking.unknown(baseline, complete):
        print(f"{new} is not in the baseline; add it with check --update")
    if any(verdict.improved for verdict in verdicts):
        print("Some are so much less that the baseline should follow: check --update")
    wrong += [f"{name} is in the baseline, but has no figures now" for name in checking.lost(baseline, complete)]
    wrong += [str(verdict) for verdict in verdicts if verdict.regressed]
    return status(wrong, interrupted)


def peers(given: argparse.Namespace) -> int:
    """``peers install`` and ``peers list``."""
    for name in given.names:
        if name not in PEERS:
            raise ValueError(f"there is no peer {name!r}; choose from {', '.join(PEERS)}")
    if given.action == "install":
        for name in tqdm(given.names or list(PEERS), unit="peer", disable=None, leave=False):
            install(name)
    for name, title, where in places():
        if not given.names or name in given.names:
            print(f"{name:10} {title:16} {where}")
    return 0


def listing(given: argparse.Namespace) -> int:
    """``list``."""
    for workload in WORKLOADS.values():
        known = ", ".join(f"{name}={size}" if size else name for name, size in workload.sizes.items())
        print(f"{workload.name}: {workload.title}")
        print(f"    {', '.join(workload.contestants())}{f'; {known}' if known else ''}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": contests,
    "compare": contests,
    "scale": scaling,
    "profile": profiling,
    "check": checks,
    "peers": peers,
    "list": listing,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 1 if something is wrong or has grown, 2 after an error, 130 after Ctrl-C."""
    reader = parser()
    given = reader.parse_args(arguments)
    try:
        check_files(given)
        return COMMANDS[given.command](given)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ImportError, OSError, PeerError, ProcessError, ValueError) as error:
        print(f"{reader.prog} {given.command}: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
