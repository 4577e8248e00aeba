"""The declaration of a rule: a name, a formula, a condition, and the classes of nodes that it is tried on.

    @rule(Not)
    def double_negation(e: Not, facts: Analyzer) -> Expr | None:
        \"\"\"not not c  ->  c\"\"\"
        return e.a.a if isinstance(e.a, Not) else None

The name of the function is the name of the rule, and the first line of its docstring the formula that is shown to a
user who asks why an expression changed. A rule returns the new expression, or None where it does not apply; the
engine in `simplifier.py` simplifies the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from tewb.ir import Expr

if TYPE_CHECKING:
    from tewb.arith.analyzer import Analyzer

Given = Callable[[Any, "Analyzer"], Any]
F = TypeVar("F", bound=Callable[[Any, "Analyzer"], Expr | None])


@dataclass(frozen=True, slots=True)
class Rule:
    """A named step of simplification. `apply` takes a node, or the result of `given` for it, and the facts."""

    name: str
    formula: str
    classes: tuple[type, ...]
    apply: Callable[[Any, Analyzer], Expr | None]


# For each class of nodes, the rules in the order in which they are tried. Consecutive rules with the same `given` form a
# group, for which it is computed once.
Table = dict[type, list[tuple[Given | None, list[Rule]]]]

WHOLE: Table = {}  # for scalars whose operands have not been simplified
SCALARS: Table = {}  # for scalars whose operands are simple
VECTORS: Table = {}  # for vectors whose operands are simple
RULES: dict[str, Rule] = {}  # all of them, by name


def rule(
    *classes: type, given: Given | None = None, whole: bool = False, lanes: bool = False
) -> Callable[[F], F]:
    """Declare a function as a rule for nodes of `classes`: scalars, or with `lanes` vectors.

    The function takes `given(node, facts)` in place of the node; where that is None, the rule does not apply. A `whole`
    rule takes a node whose operands have not been simplified and returns a simple expression; the node itself when it
    is simple already.
    """

    def declare(f: F) -> F:
        formula = (f.__doc__ or "").strip().split("\n")[0]
        declared = Rule(f.__name__, " ".join(formula.split()), classes, f)
        assert formula and declared.name not in RULES, (
            f"rule {declared.name} needs a formula, and its own name"
        )
        RULES[declared.name] = declared
        table = WHOLE if whole else VECTORS if lanes else SCALARS
        for c in classes:
            groups = table.setdefault(c, [])
            if groups and groups[-1][0] is given:
                groups[-1][1].append(declared)
            else:
                groups.append((given, [declared]))
        return f

    return declare
