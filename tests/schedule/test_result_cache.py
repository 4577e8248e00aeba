"""Results are found again by what they depend on, and forgotten when they are old."""

from __future__ import annotations

from tewb import te
from tewb.ir import Range, const
from tewb.schedule import ResultCache


def test_a_result_is_made_once_for_a_key() -> None:
    cache, calls = ResultCache(), list[str]()

    def make(name: str) -> list[str]:
        calls.append(name)
        return [name]

    first = cache.once("a", (), lambda: make("first"))
    assert cache.once("a", (), lambda: make("again")) is first
    assert cache.once("b", (), lambda: make("other")) == ["other"]
    assert calls == ["first", "other"]


def test_nothing_is_a_result_too() -> None:
    cache, calls = ResultCache(), list[int]()
    for _ in range(2):
        assert cache.once("a", (), lambda: calls.append(1)) is None
    assert calls == [1]


def test_what_a_key_names_stays_alive() -> None:
    class Thing:
        pass

    cache, thing = ResultCache(), Thing()
    key = ("thing", id(thing))
    first = cache.once(key, (thing,), object)
    del thing
    assert cache.once(key, (), object) is first
    assert ("thing", id(Thing())) != key  # its id is not given to another


def test_a_result_that_many_lowerings_have_not_used_is_forgotten() -> None:
    cache = ResultCache()
    kept, old = cache.once("kept", (), object), cache.once("old", (), object)
    for _ in range(40):
        cache.begin()
        cache.once("kept", (), object)
    assert cache.once("kept", (), object) is kept
    assert cache.once("old", (), object) is not old


def test_a_result_survives_a_few_lowerings() -> None:
    cache = ResultCache()
    first = cache.once("a", (), object)
    for _ in range(16):
        cache.begin()
    assert cache.once("a", (), object) is first


def test_a_cache_does_not_grow_without_end() -> None:
    cache = ResultCache()
    for n in range(20_010):
        cache.once(n, (), lambda: None)
    assert len(cache._known) <= 20_001


def test_shapes_are_the_same_key_when_they_are_written_alike() -> None:
    cache, n = ResultCache(), te.var("n")
    assert cache.shape((n + 1, const(3))) == cache.shape((n + 1, const(3)))
    assert cache.shape((n + 1,)) != cache.shape((n + 2,))
    assert cache.shape((te.var("n"),)) != cache.shape((n,))  # another variable
    assert cache.shape((const(3, "int64"),)) != cache.shape((const(3),))
    assert cache.ranges([Range(n, const(2))]) == cache.ranges([Range(n, const(2))])
    assert cache.ranges([Range(const(2), n)]) != cache.ranges([Range(n, const(2))])
