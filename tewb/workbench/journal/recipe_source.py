"""The source of recipes: of those that were written in the workbench, and of Python functions that need nothing else."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from types import CodeType, ModuleType

from tewb.schedule import RECIPES, Recipe, Step

_MODULES = {"te": "tewb.te", "tewb": "tewb"}


def source_of(recipe: Recipe) -> str | None:
    """The text that defines a recipe; None where there is none."""
    if recipe.source is not None:
        return recipe.source
    try:
        return textwrap.dedent(inspect.getsource(recipe.function))
    except (OSError, TypeError):
        return None


def _definition(recipe: Recipe) -> ast.FunctionDef | None:
    """The definition of a recipe, if its text is one and nothing else."""
    try:
        body = ast.parse(source_of(recipe) or "").body
    except SyntaxError:
        return None
    return body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef) else None


def recipes_inside(recipe: Recipe) -> list[Recipe]:
    """The recipes that a recipe calls by their names."""
    definition = _definition(recipe)
    names = [n.id for n in ast.walk(definition) if isinstance(n, ast.Name)] if definition is not None else []
    return [RECIPES[n] for n in dict.fromkeys(names) if n in RECIPES and n != recipe.name]


def with_those_inside(recipes: Iterable[Recipe]) -> list[Recipe]:
    """Recipes and those that they call, each once, after those that it calls."""
    found: dict[Recipe, None] = {}
    open_: set[Recipe] = set()

    def visit(recipe: Recipe) -> None:
        if recipe in open_:
            return
        open_.add(recipe)
        for inner in recipes_inside(recipe):
            visit(inner)
        found[recipe] = None

    for recipe in recipes:
        visit(recipe)
    return list(found)


def stands_alone(recipe: Recipe) -> bool:
    """Whether the text of a recipe defines it in a program that has only `te` and `tewb`."""
    return all(r.source is not None or _needs_nothing(r) for r in with_those_inside([recipe]))


def _needs_nothing(recipe: Recipe) -> bool:
    f, definition = recipe.function, _definition(recipe)
    if definition is None or [ast.unparse(d) for d in definition.decorator_list] != ["tewb.recipe"]:
        return False
    scope = f.__globals__
    used = [*_names(f.__code__), *_names_in_head(definition)]
    needed = [n for n in dict.fromkeys(used) if n in scope]
    return not f.__closure__ and all(_is_known(n, scope[n]) for n in needed)


def _is_known(name: str, value: object) -> bool:
    if name in _MODULES:
        return isinstance(value, ModuleType) and value.__name__ == _MODULES[name]
    return isinstance(value, Recipe) and RECIPES.get(name) is value


def _names(code: CodeType) -> Iterator[str]:
    """The names that code and the functions in it look up, attributes among them."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _names_in_head(definition: ast.FunctionDef) -> Iterator[str]:
    """The names in the defaults and types of the parameters."""
    for n in ast.walk(definition.args):
        if isinstance(n, ast.Name):
            yield n.id


def written_sources(steps: Iterable[Step]) -> list[str]:
    """The texts of the recipes of these steps that were written in the workbench, each after those that it calls."""
    names = dict.fromkeys(call.recipe for step in steps for call in step.calls)
    used = [RECIPES[name] for name in names if name in RECIPES]
    return [r.source for r in with_those_inside(used) if r.source is not None]
