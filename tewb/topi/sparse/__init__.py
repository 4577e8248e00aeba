"""`topi.sparse`: products with sparse matrices, as compressed rows (`contrib.sparse` makes them)."""

from tewb.topi.sparse.csr import csrmm, csrmv, dense

__all__ = ["csrmm", "csrmv", "dense"]
