"""`testing`: what test suites of classic TE use, and the reference that kernels are compared with.

The classic part is for pytest, which is loaded where it is needed: parameters and fixtures, targets (the one there is
"llvm"), and decorators for tests that need a GPU or a package. A conftest.py with

    pytest_plugins = ["tewb.testing.plugin"]

gives tests the arguments `target` and `dev`.
"""

from tewb.compat import face
from tewb.testing.asserts import assert_allclose, assert_prim_expr_equal, echo
from tewb.testing.features import (
    Feature,
    requires_adreno_opencl,
    requires_aprofile_aem_fvp,
    requires_arm_dot,
    requires_avx512,
    requires_cblas,
    requires_corstone300,
    requires_cublas,
    requires_cuda,
    requires_cudagraph,
    requires_cudnn,
    requires_ethosn,
    requires_ethosu,
    requires_gpu,
    requires_hexagon,
    requires_libtorch,
    requires_llvm,
    requires_llvm_minimum_version,
    requires_matrixcore,
    requires_metal,
    requires_micro,
    requires_mkl,
    requires_mps,
    requires_multi_gpu,
    requires_nvcc_version,
    requires_nvptx,
    requires_opencl,
    requires_package,
    requires_random,
    requires_rocm,
    requires_rpc,
    requires_tensorcore,
    requires_vulkan,
    requires_x86,
    requires_x86_avx512,
    requires_x86_vnni,
    skip_if_32bit,
    skip_if_wheel_test,
    slow,
    uses_gpu,
)
from tewb.testing.numerical_grads import check_numerical_grads
from tewb.testing.parameters import fixture, main, parameter, parameters
from tewb.testing.reference import BITS, CALLS, evaluate, nextafter, random_array, reinterpreted, tolerance
from tewb.testing.targets import (
    device_enabled,
    enabled_targets,
    exclude_targets,
    known_failing_targets,
    parametrize_targets,
)

face.wear(__name__)

__all__ = [
    "BITS", "CALLS", "Feature", "assert_allclose", "assert_prim_expr_equal", "check_numerical_grads", "device_enabled", "echo", "enabled_targets", "evaluate", "exclude_targets",
    "fixture", "known_failing_targets", "main", "nextafter", "parameter", "parameters", "parametrize_targets", "random_array", "reinterpreted",
    "requires_adreno_opencl", "requires_aprofile_aem_fvp", "requires_arm_dot", "requires_avx512", "requires_cblas",
    "requires_corstone300", "requires_cublas", "requires_cuda", "requires_cudagraph", "requires_cudnn", "requires_ethosn",
    "requires_ethosu", "requires_gpu", "requires_hexagon", "requires_libtorch", "requires_llvm",
    "requires_llvm_minimum_version", "requires_matrixcore", "requires_metal", "requires_micro", "requires_mkl",
    "requires_mps", "requires_multi_gpu", "requires_nvcc_version", "requires_nvptx", "requires_opencl", "requires_package",
    "requires_random", "requires_rocm", "requires_rpc", "requires_tensorcore", "requires_vulkan", "requires_x86",
    "requires_x86_avx512", "requires_x86_vnni", "skip_if_32bit", "skip_if_wheel_test", "slow", "tolerance", "uses_gpu",
]  # fmt: skip
