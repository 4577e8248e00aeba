"""`runtime.container`: the classic home of the containers."""

from tewb import ir, runtime
from tewb.runtime import container


def test_the_containers_are_one_by_all_their_names() -> None:
    assert container.Array is runtime.Array is ir.Array
    assert container.Map is runtime.Map is ir.Map
    assert container.String is runtime.String
    assert container.ShapeTuple is runtime.ShapeTuple


def test_a_tuple_object_has_tag_0() -> None:
    assert container.tuple_object([1, 2]) == container.ADT(0, [1, 2])
    assert container.tuple_object().tag == 0
