"""What editors and mypy read of the primitives is what their declarations say."""

from __future__ import annotations

import ast

from tewb.schedule import PRIMITIVES, stub


def test_the_stub_is_as_the_declarations_are() -> None:
    assert stub.PATH.read_text() == stub.stub(), "write it anew: python -m tewb.schedule.stub"


def classes() -> dict[str, ast.ClassDef]:
    return {n.name: n for n in ast.parse(stub.stub()).body if isinstance(n, ast.ClassDef)}


def test_every_primitive_is_a_method_of_its_owner() -> None:
    for name, c in classes().items():
        methods = {n.name for n in c.body if isinstance(n, ast.FunctionDef) and not n.decorator_list}
        assert methods == {p.name for p in PRIMITIVES.values() if p.owner.__name__ == name}


def test_properties_belong_to_stages() -> None:
    properties = [
        n.name
        for n in classes()["StagePrimitives"].body
        if isinstance(n, ast.FunctionDef) and [ast.unparse(d) for d in n.decorator_list] == ["property"]
    ]
    assert "is_double" in properties


def test_a_method_has_the_signature_and_the_words_of_its_primitive() -> None:
    (split,) = [n for n in classes()["StagePrimitives"].body if getattr(n, "name", "") == "split"]
    assert isinstance(split, ast.FunctionDef)
    assert [a.arg for a in split.args.args][:2] == ["self", "parent"]
    assert ast.unparse(split.returns or split) == "tuple[IterVar, IterVar]"
    assert (ast.get_docstring(split) or "").startswith(PRIMITIVES["split"].doc.splitlines()[0])
    assert "def reorder(self, *axes" in stub.stub()


def test_types_in_signatures_are_imported_once() -> None:
    imports = [line for line in stub.stub().splitlines() if line.startswith("from ")]
    assert imports == sorted(set(imports))
    assert any(line.endswith("import IterVar as IterVar") for line in imports)
