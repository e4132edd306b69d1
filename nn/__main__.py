"""The command line: ``python -m nn train``."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from autograd import AutogradError
from autograd.files import destination, destination_of_plot
from nn.activations import ACTIVATIONS
from nn.recipes import DATASETS, INITIALIZERS, OPTIMIZERS, Task, load, network, train
from nn.summary import summary
from nn.weights import format_of, save

HIDDEN = {"mlp": [128], "conv": [16, 32]}


def parser() -> argparse.ArgumentParser:
    """Return what reads the options."""
    top = argparse.ArgumentParser(prog="python -m nn", description="Neural networks on top of autograd.")
    commands = top.add_subparsers(dest="command", required=True)
    show = argparse.ArgumentDefaultsHelpFormatter
    one = commands.add_parser(
        "train", formatter_class=show, help="train a network on data that scikit-learn ships, and test it"
    )
    one.add_argument("--data", choices=DATASETS, default="digits", help="what to learn")
    one.add_argument(
        "--model", choices=HIDDEN, default="mlp", help="multilayer perceptron, or convolutions (of digits)"
    )
    one.add_argument("--hidden", type=whole(1), nargs="*", metavar="N", help="units of the hidden layers, or channels")
    one.add_argument("--activation", choices=ACTIVATIONS, default="relu", help="of hidden layers of the mlp")
    one.add_argument("--dropout", type=float, default=0.0, metavar="P", help="probability to drop, in the mlp")
    one.add_argument("--batch-norm", action="store_true", help="normalize the hidden layers of the mlp")
    one.add_argument("--init", choices=INITIALIZERS, metavar="SCHEME", help="initializer, such as he_normal")
    one.add_argument("--optimizer", choices=OPTIMIZERS, default="adam", help="what moves the parameters")
    one.add_argument("--lr", type=float, help="learning rate; by default the optimizer's")
    one.add_argument("--weight-decay", type=float, default=0.0, metavar="L", help="L2 penalty")
    one.add_argument("--epochs", type=whole(1), default=30, help="how often to meet each example")
    one.add_argument("--batch-size", type=whole(1), default=32, help="examples in a step")
    one.add_argument("--seed", type=whole(0), default=0, help="one seed gives the same run again")
    one.add_argument("--save", metavar="FILE", help="write the weights, .safetensors or .npz")
    one.add_argument("--resume", metavar="FILE", help="checkpoint of each epoch; go on from it if it is there")
    one.add_argument("--plot", metavar="FILE", help="draw the losses, .svg, .png or .pdf")
    return top


def whole(least: int) -> Callable[[str], int]:
    """Return what reads a whole number, `least` or more."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of {least} or more")
        return int(text)

    return read


def run(options: argparse.Namespace) -> int:
    """Train, test, write what was asked for; the exit status is 130 after Ctrl-C."""
    for path in (options.save, options.resume):
        if path is not None:
            format_of(path)
            destination(path)
    if None not in (options.save, options.resume) and Path(options.save).resolve() == Path(options.resume).resolve():
        raise ValueError(f"--save and --resume name the same file, {options.save}; give the weights one of their own")
    if options.plot is not None:
        destination_of_plot(options.plot)
    start = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    task = load(options.data, rng, images=options.model == "conv")
    hidden = HIDDEN[options.model] if options.hidden is None else options.hidden
    mlp = {"activation": options.activation, "dropout": options.dropout, "batch_norm": options.batch_norm}
    model = network(task, options.model, hidden, rng, options.init, **(mlp if options.model == "mlp" else {}))
    kind, rate = OPTIMIZERS[options.optimizer]
    optimizer = kind(
        model.parameters(), lr=rate if options.lr is None else options.lr, weight_decay=options.weight_decay
    )
    print(f"{options.data}: {len(task.train.x)} examples to learn from, {len(task.test.x)} to test\n")
    print(summary(model, (options.batch_size, *task.train.x.shape[1:])), end="\n\n", flush=True)
    history, results = train(
        task,
        model,
        optimizer,
        epochs=options.epochs,
        batch_size=options.batch_size,
        rng=rng,
        checkpoint=options.resume,
        resume=options.resume is not None and Path(options.resume).exists(),
    )
    print(f"{history!r}\n\n{report(task, results)}, {time.perf_counter() - start:.1f} s")
    if options.save is not None:
        save(model, options.save)
        print(f"weights in {options.save}")
    if options.plot is not None:
        history.plot().figure.savefig(options.plot)
        print(f"losses in {options.plot}")
    return 130 if history.interrupted else 0


def report(task: Task, results: dict[str, float]) -> str:
    """Return the test's outcome in words."""
    if task.unit:
        error = task.unit * np.sqrt(results["loss"])
        return f"on the test examples: R² {results['r2']:.3f}, root mean square error {error:.1f}"
    return (
        f"on the test examples: accuracy {results['accuracy']:.4f} (always the most frequent class: "
        f"{task.baseline:.4f}), loss {results['loss']:.4f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command."""
    reader = parser()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # where an encoding has no lines of a tree
    options = reader.parse_args(arguments)
    try:
        return run(options)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (AutogradError, ImportError, MemoryError, OSError, ValueError) as error:
        cure = "; make --hidden or --batch-size smaller" if isinstance(error, MemoryError) else ""
        print(f"{reader.prog} {options.command}: {error}{cure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
