"""The exceptions, as a tree.

::

    AutogradError
    ├── ShapeError (ValueError)           operands that do not fit, seeds of the wrong shape
    ├── DtypeError (TypeError)            integers asked for a gradient, complex, objects, strings
    ├── OutOfRangeError (IndexError)      an index outside its array
    ├── AxisError (ShapeError, OutOfRangeError, np.exceptions.AxisError)  an axis that the array does not have
    ├── SingularError (LinAlgError)       a decomposition or inverse that does not exist
    ├── NotDifferentiableError (TypeError)  a function, argument or conversion without a derivative
    ├── RowError (TypeError)              rules that do not fit the function that they are declared for
    ├── GraphError (RuntimeError)         a record that was released, changed or never made
    ├── CompileError (TypeError)          a function that needs values in order to say what it computes
    ├── LayoutError (RuntimeError)        a picture that cannot be laid out or converted
    ├── AnomalyError (RuntimeError)       a value or gradient that is not finite, a kept array that changed
    ├── GradcheckError (AssertionError)   an analytic derivative that differs from the numeric one
    └── ExpressionError (ValueError)      a formula on the command line that cannot be read

Each derives from the built-in exception that a NumPy user would catch. Every message names the operation, the shape and
dtype of each operand (and its name where it has one), what was expected, and the cure.
"""

from __future__ import annotations

import numpy as np


class AutogradError(Exception):
    """Base of every exception that this package raises on purpose."""


class ShapeError(AutogradError, ValueError):
    """Operands whose shapes or values do not fit the operation."""


class DtypeError(AutogradError, TypeError):
    """A dtype that cannot be used, or cannot carry a gradient."""


class OutOfRangeError(AutogradError, IndexError):
    """An index outside the array it selects from."""


class AxisError(ShapeError, OutOfRangeError, np.exceptions.AxisError):
    """An axis that the array does not have."""


class SingularError(AutogradError, np.linalg.LinAlgError):
    """A decomposition, inverse or derivative that does not exist for this matrix."""


class NotDifferentiableError(AutogradError, TypeError):
    """A function or argument that has no derivative here, or a conversion that would lose the graph."""


class RowError(AutogradError, TypeError):
    """Rules that do not fit the function that they are declared for."""


class GraphError(AutogradError, RuntimeError):
    """A record that was released, changed or never made."""


class CompileError(AutogradError, TypeError):
    """A function that cannot be compiled, since what it computes depends on the values of its arguments."""


class LayoutError(AutogradError, RuntimeError):
    """A picture that cannot be laid out or converted, mostly for want of an optional package."""


class AnomalyError(AutogradError, RuntimeError):
    """A value or a contribution that is not finite, or a kept array that was changed."""


class GradcheckError(AutogradError, AssertionError):
    """An analytic derivative that differs from the numeric one."""


class ExpressionError(AutogradError, ValueError):
    """A formula, or the value of one of its names, that cannot be read."""
