# A tool of a paper's artefact: arguments, classes, a table of workloads, a target by name.
import argparse
import json
import os

import numpy as np
import tvm
from tvm import te
from tvm.contrib import utils


class Workload:
    def __init__(self, name, n):
        self.name, self.n = name, n

    def tensors(self):
        raise NotImplementedError


class Axpy(Workload):
    def tensors(self):
        x, y = te.placeholder((self.n,), name="x"), te.placeholder((self.n,), name="y")
        alpha = te.var("alpha", "float32")
        out = te.compute((self.n,), lambda i: alpha * x[i] + y[i], name="out")
        return [alpha, x, y, out]


class Runner(object):
    def __init__(self, target, log):
        self.target, self.log = tvm.target.Target(target), log
        self.dev = tvm.device(self.target.kind.name, 0)

    def schedule(self, out):
        s = te.create_schedule(out.op)
        outer, inner = s[out].split(s[out].op.axis[0], factor=self.lanes())
        s[out].vectorize(inner)
        s[out].parallel(outer)
        return s

    def lanes(self):
        return 16 if "avx512" in ",".join(self.target.attrs.get("mattr", [])) else 8

    def run(self, workload):
        args = workload.tensors()
        with self.target:
            assert tvm.target.Target.current().kind.name == "llvm"
            func = tvm.build(self.schedule(args[-1]), args, name=workload.name)
        x = tvm.nd.array(np.random.rand(workload.n).astype("float32"), self.dev)
        y = tvm.nd.array(np.random.rand(workload.n).astype("float32"), self.dev)
        out = tvm.nd.array(np.zeros(workload.n, dtype="float32"), self.dev)
        timer = func.time_evaluator(func.entry_name, self.dev, number=2, repeat=2)
        cost = timer(2.0, x, y, out)
        np.testing.assert_allclose(out.numpy(), 2 * x.numpy() + y.numpy(), rtol=1e-5)
        self.log.append({"name": workload.name, "mean": cost.mean, "results": len(cost.results)})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", type=str, default="llvm")
    parser.add_argument("--sizes", type=int, nargs="+", default=[7, 64])
    opt = parser.parse_args()
    log = []
    runner = Runner(opt.target, log)
    for n in opt.sizes:
        runner.run(Axpy("axpy_%d" % n, n))
    temp = utils.tempdir()
    path = temp.relpath("log.json")
    with open(path, "w") as f:
        json.dump(log, f)
    assert os.path.basename(path) in temp.listdir()
    assert [row["name"] for row in log] == ["axpy_%d" % n for n in opt.sizes]
    assert all(row["results"] == 2 for row in log)


if __name__ == "__main__":
    main()
