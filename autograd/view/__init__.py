"""Pictures of the chain rule: graphs, the backward stepper, gradient flow.

``model.py`` reads a record into plain numbers; the other files draw them.
"""

from autograd.view.model import Graph, GraphEdge, GraphNode, Summary, graph

__all__ = ["Graph", "GraphEdge", "GraphNode", "Summary", "graph"]
