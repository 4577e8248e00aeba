"""Operators as functions, as classic TE had them beside the operators of Python."""

from __future__ import annotations

from typing import Any

from tewb.ir import Expr, convert, intrinsics, ops


def add(lhs: Any, rhs: Any, span: Any = None) -> Any:
    """lhs + rhs"""
    return convert(lhs) + rhs


def subtract(lhs: Any, rhs: Any, span: Any = None) -> Any:
    """lhs - rhs"""
    return convert(lhs) - rhs


def multiply(lhs: Any, rhs: Any, span: Any = None) -> Any:
    """lhs * rhs"""
    return convert(lhs) * rhs


def ceildiv(lhs: Any, rhs: Any, span: Any = None) -> Expr:
    """lhs / rhs of integers, rounded up."""
    return ops.neg(ops.floordiv(ops.neg(convert(lhs)), rhs))


def logaddexp(lhs: Any, rhs: Any, span: Any = None) -> Expr:
    """log(exp(lhs) + exp(rhs)) of floats, which does not overflow."""
    a, b = ops.match(lhs, rhs)
    high, low = ops.maximum(a, b), ops.minimum(a, b)
    apart = ops.sub(low, high)
    return ops.add(high, intrinsics.log1p(intrinsics.exp(apart)))
