# Programs ask for what a machine has, and go on without it.
import tvm
from tvm import auto_scheduler, relay, rpc
from tvm.contrib import cc, ndk, nvcc

ran = []
for device, ctx in (("llvm", tvm.cpu(0)), ("cuda", tvm.gpu(0)), ("opencl", tvm.opencl(0))):
    if not ctx.exist or not tvm.runtime.enabled(device):
        print("Skip because %s is not enabled" % device)
        continue
    ran.append(device)
assert ran == ["llvm"]
assert not isinstance(tvm.tir.const(1), relay.Expr)
for use in (lambda: nvcc.have_fp16("7.0"), lambda: rpc.connect("tracker", 9190), lambda: relay.var("x"), lambda: ndk.create_shared("a.so", [])):
    try:
        use()
    except tvm.TVMError as e:
        assert "tewb has no" in str(e)
    else:
        raise AssertionError("it must say that it is absent")
try:
    A = tvm.te.placeholder((4,), name="A")
    B = tvm.te.compute((4,), lambda i: A[i], name="B")
    tvm.build(tvm.te.create_schedule(B.op), [A, B], target="cuda")
except tvm.TVMError as e:
    assert "tewb builds for the CPU" in str(e)
