"""Classic programs, unchanged: `install()` lets `import tvm` mean tewb.

    import tewb.compat
    tewb.compat.install()
    import tvm                           # a program written for TVM v0.5 to v0.19, on the CPU
    from tvm import te, topi

`python -m tewb.compat script.py arguments` runs a script so. Without it, `import tewb as tvm` has the same names. Which
names there are, and what tewb does instead of others, is written in `classic_names.txt` and on the page docs/classic.md.
"""

from tewb.compat.installation import install, uninstall

__all__ = ["install", "uninstall"]
