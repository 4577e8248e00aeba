"""Devices: the CPU and those that are not there."""

from __future__ import annotations

from typing import Any

import pytest

import tewb
from tewb import nd, te
from tewb.base import ArgumentError


def test_devices_compare_hash_and_print() -> None:
    assert (
        nd.cpu(0)
        == nd.cpu()
        == nd.device("cpu", 0)
        == nd.context("llvm", 0)
        == nd.device("llvm -mcpu=skylake")
    )
    assert nd.cpu(0) != nd.cpu(1)
    assert nd.cpu(0) != nd.gpu(0)
    assert nd.cpu(0) != "cpu"
    assert len({nd.cpu(0), nd.cpu(0), nd.gpu(0), nd.cuda(0), nd.device("gpu", 0)}) == 2
    assert [repr(d) for d in (nd.cpu(0), nd.gpu(1), nd.device("cl"), nd.metal(2))] == [
        "cpu(0)", "cuda(1)", "opencl(0)", "metal(2)",
    ]  # fmt: skip
    assert str(nd.vulkan()) == "vulkan(0)"


def test_a_device_has_its_type_and_number() -> None:
    assert (nd.cpu(0).device_type, nd.cpu(3).device_id) == (1, 3)
    assert (nd.cuda(0).device_type, nd.opencl().device_type, nd.metal().device_type) == (2, 4, 8)
    assert nd.device("cuda:1") == nd.cuda(1)
    assert nd.device(1, 2) == nd.cpu(2)
    assert nd.device(nd.cpu(0)) == nd.cpu(0)


def test_the_target_names_its_device() -> None:
    assert nd.device(tewb.target.Target("llvm"), 0) == nd.cpu(0)


def test_only_the_cpu_exists() -> None:
    assert nd.cpu(0).exist
    assert nd.cpu(1).exist
    others = (
        nd.cpu_pinned,
        nd.opengl,
        nd.micro_dev,
        nd.mtl,
        nd.gpu,
        nd.cuda,
        nd.opencl,
        nd.metal,
        nd.vulkan,
        nd.rocm,
        nd.vpi,
        nd.hexagon,
        nd.webgpu,
        nd.ext_dev,
    )
    assert not any(make(0).exist for make in others)
    assert nd.gpu(0).max_threads_per_block is None
    nd.cpu(0).sync()


@pytest.mark.parametrize("where", [nd.gpu(0), "gpu", "opencl:1", nd.metal(1)])
def test_use_of_a_device_that_is_not_there_says_so(where: Any) -> None:
    for use in (
        lambda: nd.array([1, 2], where),
        lambda: nd.array([1, 2], ctx=where),
        lambda: nd.empty((2,), "float32", where),
        lambda: nd.array([1]).copyto(where),
        lambda: nd.device(where).sync(),
    ):
        with pytest.raises(ArgumentError, match=r"\w+\(\d\) does not exist: tewb computes on the CPU alone"):
            use()


@pytest.mark.parametrize("word", ["gpuu", "", "a b", 99, None, 1.5, True])
def test_an_unknown_kind_of_device_is_refused(word: Any) -> None:
    with pytest.raises(ArgumentError, match="there is no kind of device"):
        nd.device(word)


@pytest.mark.parametrize("number", [-1, 1.5, "0", None, True])
def test_a_device_number_is_an_int_from_0(number: Any) -> None:
    with pytest.raises(ArgumentError, match="devices are numbered from 0"):
        nd.cpu(number)


def test_what_is_no_device_is_refused() -> None:
    with pytest.raises(ArgumentError, match="5 is no device"):
        nd.array([1], 5)


def test_a_kernel_is_timed_on_the_cpu() -> None:
    A = te.placeholder((4,), name="A")
    B = te.compute((4,), lambda i: A[i] + 1.0, name="B")
    kernel = tewb.build(te.create_schedule(B.op), [A, B])
    evaluate = kernel.time_evaluator(kernel.entry_name, nd.cpu(0), number=1, repeat=1)
    assert evaluate(nd.empty((4,)), nd.empty((4,))).mean > 0
    with pytest.raises(ArgumentError, match=r"cuda\(0\) does not exist"):
        kernel.time_evaluator(kernel.entry_name, nd.gpu(0))
