"""Pictures of the chain rule: graphs, the backward stepper, gradient flow.

``model.py`` reads a record into plain numbers; the other files draw them.
"""

from autograd.view.drawing import Drawing, graph
from autograd.view.model import Graph, GraphEdge, GraphNode, Summary

__all__ = ["Drawing", "Graph", "GraphEdge", "GraphNode", "Summary", "graph"]
