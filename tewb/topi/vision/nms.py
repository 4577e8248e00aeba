"""Boxes of detections: those of some score, and of boxes that overlap the best. By numpy, on whole tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tewb import te
from tewb.base import ShapeError, here
from tewb.runtime import register_func
from tewb.tensor import Tensor
from tewb.topi.checks import check_same_size, integers_of, known, tensor_of


def _valid_counts(
    x: Any, count: Any, out: Any, places: Any, threshold: float, id_index: int, score: int
) -> None:
    out[...], places[...] = -1, -1
    for b, boxes in enumerate(x):
        valid = boxes[:, score] > threshold
        if id_index >= 0:
            valid &= boxes[:, id_index] >= 0
        (at,) = np.nonzero(valid)
        count[b] = len(at)
        out[b, : len(at)], places[b, : len(at)] = boxes[at], at


def _overlaps(box: Any, others: Any) -> Any:
    """The area that a box has in common with others, over the area of both."""
    low = np.minimum(others[:, :2], others[:, 2:])
    high = np.maximum(others[:, :2], others[:, 2:])
    first, last = np.minimum(box[:2], box[2:]), np.maximum(box[:2], box[2:])
    common = np.prod(np.maximum(np.minimum(high, last) - np.maximum(low, first), 0), axis=1)
    either = np.prod(last - first) + np.prod(high - low, axis=1) - common
    return np.where(either > 0, common / np.where(either > 0, either, 1), 0)


def _suppressed(
    boxes: Any, places: Any, most: int, threshold: float, force: int, start: int, score: int, id_index: int
) -> None:
    """Write -1 over the boxes, the best first, that overlap a better one of their class, or are too many."""
    kept: list[int] = []
    for j in range(len(boxes)):
        if len(kept) == most:
            boxes[j], places[j] = -1, -1
        elif boxes[j, score] > 0:
            rivals = [k for k in kept if id_index < 0 or boxes[k, id_index] >= 0]
            if not force and id_index >= 0:
                rivals = [k for k in rivals if boxes[k, id_index] == boxes[j, id_index]]
            corners = slice(start, start + 4)
            if rivals and (_overlaps(boxes[j, corners], boxes[rivals, corners]) >= threshold).any():
                boxes[j], places[j] = -1, -1
            else:
                kept.append(j)


def _nms(x: Any, valid: Any, out: Any, places: Any, *options: Any) -> None:
    most, threshold, force, top_k, start, score, id_index = options
    out[...], places[...] = -1, -1
    for b, boxes in enumerate(x):
        n = int(valid[b])
        if threshold <= 0:
            out[b, :n], places[b, :n] = boxes[:n], np.arange(n)
            continue
        order = np.argsort(-boxes[:n, score], kind="stable")[: top_k if top_k > 0 else n]
        k = len(order)
        out[b, :k], places[b, :k] = boxes[order], order
        _suppressed(out[b, :k], places[b, :k], most, threshold, force, start, score, id_index)


def _nms_boxes(x: Any, valid: Any, out: Any, *options: Any) -> None:
    _nms(x, valid, out, np.empty(x.shape[:2], "int32"), *options)


def _nms_places(x: Any, valid: Any, places: Any, *options: Any) -> None:
    _nms(x, valid, np.empty_like(x), places, *options)


def _boxes_up(x: Any, out: Any) -> None:
    out[...] = -1
    for b, boxes in enumerate(x):
        valid = boxes[boxes[:, 0] >= 0]
        out[b, : len(valid)] = valid


def _places_up(places: Any, indices: Any, out: Any, count: Any) -> None:
    out[...] = -1
    for b, p in enumerate(places):
        valid = p[p >= 0]
        out[b, : len(valid)], count[b, 0] = indices[b, valid], len(valid)


_PACKED: dict[str, Callable[..., None]] = {
    "valid_counts": _valid_counts, "nms_boxes": _nms_boxes, "nms_places": _nms_places, "boxes_up": _boxes_up,
    "places_up": _places_up,
}  # fmt: skip
for _name, _function in _PACKED.items():
    register_func(f"tewb.topi.{_name}", _function, override=True)


def get_valid_counts(
    data: Tensor, score_threshold: float = 0, id_index: int = 0, score_index: int = 1
) -> Any:
    """Of boxes (batch, boxes, elements), those whose score is above the threshold (and whose class, unless id_index is -1, is
    not negative): how many there are for each of the batch, they in front and -1 behind, and their places."""
    x = tensor_of("get_valid_counts", data, 3)
    threshold = te.const(float(score_threshold), "float64")

    def call(ins: Any, outs: Any) -> Any:
        return te.call_packed("tewb.topi.valid_counts", ins[0], *outs, threshold, id_index, score_index)

    shapes = [x.shape[:1], x.shape, x.shape[:2]]
    dtypes = ["int32", str(x.dtype), "int32"]
    return list(te.extern(shapes, [x], call, name="get_valid_counts", dtype=dtypes, tag="get_valid_counts"))


def non_max_suppression(
    data: Tensor,
    valid_count: Tensor,
    indices: Tensor | int | None = None,
    max_output_size: Any = -1,
    iou_threshold: float = 0.5,
    force_suppress: bool = False,
    top_k: int = -1,
    coord_start: int = 2,
    score_index: int = 1,
    id_index: int = 0,
    return_indices: bool = True,
    invalid_to_bottom: bool = False,
) -> Any:
    """Boxes (batch, boxes, elements) in the order of their scores, with -1 in place of each that overlaps a better one (of its
    class, unless force_suppress or id_index=-1) by the threshold or more.

    With `return_indices` the result is a pair: the places of those that are kept, in front, taken from `indices`, and how many
    they are. Else it is the boxes, with `invalid_to_bottom` those that are kept in front.
    """
    what = "non_max_suppression"
    x, valid = tensor_of(what, data, 3), integers_of(what, valid_count)
    if not isinstance(indices, Tensor) and indices is not None:
        # Before v0.7 there were no indices, and the size stood in their place.
        max_output_size, indices = indices, None
    check_same_size(what, valid.shape[0], x.shape[0], "the number of counts and the batch")
    width = known(x.shape[2])
    if width is not None and width < coord_start + 4:
        raise ShapeError(
            f"{what}: boxes of {width} elements have no 4 coordinates from {coord_start} on",
            hint="(class, score, left, top, right, bottom) with coord_start=2",
            span=here(),
        )
    most = known(max_output_size)
    options = [
        -1 if most is None else most, te.const(float(iou_threshold), "float64"), int(force_suppress), top_k,
        coord_start, score_index, id_index,
    ]  # fmt: skip
    form, shape, dtype = ("places", x.shape[:2], "int32") if return_indices else ("boxes", x.shape, x.dtype)
    kept = te.extern(
        shape,
        [x, valid],
        lambda ins, outs: te.call_packed(f"tewb.topi.nms_{form}", *ins, outs[0], *options),
        name="nms",
        dtype=dtype,
        tag="nms",
    )
    if return_indices:
        return _kept_places(x, kept, indices)
    if not invalid_to_bottom:
        return kept
    return te.extern(
        x.shape,
        [kept],
        lambda ins, outs: te.call_packed("tewb.topi.boxes_up", ins[0], outs[0]),
        name="rearrange_box_out",
        dtype=x.dtype,
        tag="rearrange_box_out",
    )


def _kept_places(x: Tensor, places: Tensor, indices: Any) -> Any:
    if indices is None:
        indices = te.compute(x.shape[:2], lambda _, j: j, name="indices", tag="injective")
    given = integers_of("non_max_suppression", indices)
    return list(
        te.extern(
            [x.shape[:2], (x.shape[0], 1)],
            [places, given],
            lambda ins, outs: te.call_packed("tewb.topi.places_up", *ins, *outs),
            name="rearrange_indices_out",
            dtype=["int32", "int32"],
            tag="rearrange_indices_out",
        )
    )
