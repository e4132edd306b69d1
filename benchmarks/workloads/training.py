"""A training step of a classifier, as the libraries that have layers and optimizers write it.

What differs between networks is how they are built. A workload says so for `nn` and for PyTorch; the loss is softmax
cross-entropy, and the step is one of gradient descent.
"""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Contestant, Given, Workload, in_parts


class Training(Workload):
    """A training step of a network that a subclass builds, from ``x``, ``labels`` and parameters ``start``."""

    def network(self, given: Given) -> Any:
        """Return the network of `nn`."""
        raise NotImplementedError

    def torch_network(self, given: Given) -> Any:
        """Return the network of PyTorch."""
        raise NotImplementedError

    def ours(self, given: Given) -> Any:
        """Return the network of `nn` with the first parameters, and what moves it."""
        import nn

        model = self.network(given)
        for p, start in zip(model.parameters(), given.start):
            p.data[...] = start
        return model, nn.optim.SGD(model.parameters(), lr=given.rate)

    def chainrule(self, given: Given) -> Contestant:
        """Use `nn` as its README does."""
        from nn.functional import cross_entropy

        (model, optimizer), x, labels = self.ours(given), given.x, given.labels

        def forward() -> Any:
            optimizer.zero_grad()
            return cross_entropy(model(x), labels)

        return in_parts(
            forward,
            lambda loss: loss.backward(),
            lambda: [p.data for p in model.parameters()],
            lambda _: optimizer.step(),
            lambda loss: loss.item(),
        )

    def compiled(self, given: Given) -> Contestant:
        """The same, with `nn.compiled_step`."""
        import nn

        (model, optimizer), x, labels = self.ours(given), given.x, given.labels
        step = nn.compiled_step(model, nn.functional.cross_entropy, optimizer)
        return Contestant(lambda: float(step(x, labels)), lambda: [p.data for p in model.parameters()])

    def torch(self, given: Given) -> Contestant:
        """Use the same modules of PyTorch."""
        import torch

        model = self.torch_network(given).to(getattr(torch, given.dtype))
        with torch.no_grad():
            for p, start in zip(model.parameters(), given.start):
                p.copy_(torch.from_numpy(start))
        optimizer = torch.optim.SGD(model.parameters(), lr=given.rate)
        x, labels = torch.from_numpy(given.x), torch.from_numpy(given.labels)
        cross_entropy = torch.nn.functional.cross_entropy

        def forward() -> Any:
            optimizer.zero_grad()
            return cross_entropy(model(x), labels)

        return in_parts(
            forward,
            lambda loss: loss.backward(),
            lambda: [p.detach().numpy() for p in model.parameters()],
            lambda _: optimizer.step(),
            lambda loss: loss.item(),
        )
