"""Derivatives of tensors: `gradient(output, inputs)` are computes, as any others.

partials.py    of an expression by what it reads: each read with a factor, and the conditions under which it counts
calls.py       the derivatives of math functions
reducers.py    of a reduction by what is combined
forms.py       indices as sums of axes
equations.py   for which axes an index is x: most loops of a derivative are over zeros, and go away here
terms.py       from a factor and an index to an expression of x, with the loops that are left
gradient.py    from the output through the graph to the inputs
"""

from tewb.tensor.gradient.reverse_mode import gradient

__all__ = ["gradient"]
