"""What tests need of the machine: decorators that skip a test where it is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

from tewb.runtime import Target


class Feature:
    """Something that a test needs. It is a decorator, with or without brackets, and `marks()` for pytest.param.
    `missing()` says why it is not there; None where it is."""

    def __init__(self, name: str, missing: Callable[[], str | None]) -> None:
        self.name, self.missing = name, missing

    def marks(self) -> list[Any]:
        """The marks of pytest that skip a test where the feature is missing."""
        import pytest

        reason = self.missing()
        return [] if reason is None else [pytest.mark.skip(reason=f"needs {self.name}: {reason}")]

    def __call__(self, test: Any = None) -> Any:
        if test is None:
            return self
        for mark in self.marks():
            test = mark(test)
        return test

    def __repr__(self) -> str:
        return f"Feature({self.name})"


def _there() -> None:
    return None


def _absent(name: str) -> Feature:
    return Feature(name, lambda: "tewb computes on the CPU of this machine alone")


def _package_reason(names: tuple[str, ...]) -> str | None:
    absent = [n for n in names if importlib.util.find_spec(n) is None]
    return f"{', '.join(absent)} is not installed" if absent else None


def _processor(name: str, *features: str) -> Feature:
    """A feature of x86 processors, by LLVM's words."""

    def missing() -> str | None:
        own = Target.host()
        has_it = own.arch == "x86_64" and own.has(*features)
        return None if has_it else f"this processor is {own.cpu} ({own.arch})"

    return Feature(name, missing)


requires_llvm = Feature("LLVM", _there)
requires_x86 = _processor("an x86 processor")
requires_x86_vnni = _processor("AVX-512 VNNI", "avx512vnni")
requires_x86_avx512 = requires_avx512 = _processor("AVX-512", "avx512f")
requires_cblas = Feature("a BLAS", lambda: _package_reason(("scipy",)))

requires_gpu = _absent("a GPU")
requires_cuda = _absent("CUDA")
requires_multi_gpu = _absent("several GPUs")
requires_cudnn = _absent("cuDNN")
requires_cublas = _absent("cuBLAS")
requires_cudagraph = _absent("CUDA graphs")
requires_nvptx = _absent("NVPTX")
requires_tensorcore = _absent("tensor cores")
requires_opencl = _absent("OpenCL")
requires_adreno_opencl = _absent("OpenCL on Adreno")
requires_rocm = _absent("ROCm")
requires_matrixcore = _absent("matrix cores")
requires_metal = _absent("Metal")
requires_mps = _absent("Metal Performance Shaders")
requires_vulkan = _absent("Vulkan")
requires_hexagon = _absent("Hexagon")
requires_ethosn = _absent("Ethos-N")
requires_ethosu = _absent("Ethos-U")
requires_corstone300 = _absent("Corstone-300")
requires_aprofile_aem_fvp = _absent("a model of Arm processors")
requires_arm_dot = _absent("the dot products of Arm")
requires_micro = _absent("microTVM")
requires_rpc = _absent("RPC")
requires_mkl = _absent("MKL")
requires_random = _absent("contrib.random")
requires_libtorch = _absent("libtorch")


def requires_package(*packages: str) -> Feature:
    """A decorator for tests that import packages: `@requires_package("torch")`."""
    return Feature(", ".join(packages), lambda: _package_reason(packages))


def requires_nvcc_version(major_version: int, minor_version: int = 0, release_version: int = 0) -> Feature:
    """A decorator for tests that need nvcc, which are skipped."""
    return _absent("nvcc")


def requires_llvm_minimum_version(major_version: int) -> Feature:
    """A decorator for tests that need an LLVM of this version at least."""

    def missing() -> str | None:
        from llvmlite import binding

        own = binding.llvm_version_info[0]
        return None if own >= major_version else f"this is LLVM {own}"

    return Feature(f"LLVM {major_version}", missing)


def uses_gpu(*tests: Any) -> Any:
    """A decorator for tests that run on a GPU where there is one; here they run on the CPU."""
    return tests[0] if tests else uses_gpu


def slow(test: Any) -> Any:
    """A decorator for tests that take long."""
    return test


def skip_if_32bit(reason: str) -> Callable[[Any], Any]:
    """A decorator for tests that need 64 bits, which tewb needs too."""
    return lambda test: test


def skip_if_wheel_test(test: Any) -> Any:
    """A decorator for tests that need the source of TVM; they run."""
    return test
