"""Images in other sizes: nearest elements, linear and cubic interpolation in one, two or three dimensions.

The place in the input that an element of the output stands for is a formula of its index (the coordinate mode). Elements
around that place are combined with weights, one dimension after the other; beyond an edge is the nearest element.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from tewb import te
from tewb.base import DType, TewbError, here
from tewb.tensor import Tensor
from tewb.topi import tag
from tewb.topi.checks import check_same_size, known, one_of, sizes, tensor_of
from tewb.topi.layouts import spatial

MODES = (
    "half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "tf_half_pixel_for_nn", "tf_crop_and_resize",
)  # fmt: skip
METHODS = {
    "nearest_neighbor": 1, "linear": 2, "bilinear": 2, "trilinear": 2, "cubic": 4, "bicubic": 4, "tricubic": 4,
}  # fmt: skip
ROUNDINGS = ("", "round", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def resize1d(
    data: Tensor,
    roi: Any = None,
    size: Any = None,
    layout: str = "NCW",
    method: str = "linear",
    coordinate_transformation_mode: str = "half_pixel",
    rounding_method: str = "",
    bicubic_alpha: float = -0.5,
    bicubic_exclude: int = 0,
    extrapolation_value: float = 0.0,
    out_dtype: str | None = None,
    output_shape: Any = None,
) -> Any:
    """W in another size. `roi` is begin and end for the mode tf_crop_and_resize."""
    return _resize(
        "resize1d", data, roi, size, layout, method, coordinate_transformation_mode, rounding_method,
        bicubic_alpha, bicubic_exclude, extrapolation_value, out_dtype, output_shape, "W",
    )  # fmt: skip


def resize2d(
    data: Tensor,
    roi: Any = None,
    size: Any = None,
    layout: str = "NCHW",
    method: str = "linear",
    coordinate_transformation_mode: str = "half_pixel",
    rounding_method: str = "",
    bicubic_alpha: float = -0.5,
    bicubic_exclude: int = 0,
    extrapolation_value: float = 0.0,
    out_dtype: str | None = None,
    output_shape: Any = None,
) -> Any:
    """H and W in another size. `roi` is the begins and then the ends, for the mode tf_crop_and_resize."""
    return _resize(
        "resize2d", data, roi, size, layout, method, coordinate_transformation_mode, rounding_method,
        bicubic_alpha, bicubic_exclude, extrapolation_value, out_dtype, output_shape, "HW",
    )  # fmt: skip


def resize3d(
    data: Tensor,
    roi: Any = None,
    size: Any = None,
    layout: str = "NCDHW",
    method: str = "linear",
    coordinate_transformation_mode: str = "half_pixel",
    rounding_method: str = "",
    bicubic_alpha: float = -0.5,
    bicubic_exclude: int = 0,
    extrapolation_value: float = 0.0,
    out_dtype: str | None = None,
    output_shape: Any = None,
) -> Any:
    """D, H and W in another size. `roi` is the begins and then the ends, for the mode tf_crop_and_resize."""
    return _resize(
        "resize3d", data, roi, size, layout, method, coordinate_transformation_mode, rounding_method,
        bicubic_alpha, bicubic_exclude, extrapolation_value, out_dtype, output_shape, "DHW",
    )  # fmt: skip


def resize(
    data: Tensor,
    size: Any,
    layout: str = "NCHW",
    method: str = "bilinear",
    coordinate_transformation_mode: str = "half_pixel",
    rounding_method: str = "",
    bicubic_alpha: float = -0.5,
    bicubic_exclude: int = 0,
    out_dtype: str | None = None,
    output_shape: Any = None,
    align_corners: bool | None = None,
) -> Any:
    """resize2d, as programs before v0.8 called it; align_corners is what v0.5 said of the mode."""
    if align_corners is not None:
        coordinate_transformation_mode = "align_corners" if align_corners else "asymmetric"
    return resize2d(
        data, None, size, layout, method, coordinate_transformation_mode, rounding_method, bicubic_alpha,
        bicubic_exclude, 0.0, out_dtype, output_shape,
    )  # fmt: skip


def _resize(
    what: str,
    data: Any,
    roi: Any,
    size: Any,
    layout: str,
    method: str,
    mode: Any,
    rounding: str,
    alpha: float,
    exclude: int,
    outside: float,
    out_dtype: str | None,
    output_shape: Any,
    letters: str,
) -> Any:
    x = tensor_of(what, data)
    if size is None:  # old programs have no roi, and the size in its place
        roi, size = None, roi
    if isinstance(mode, bool):  # and say whether corners are aligned
        mode = "align_corners" if mode else "asymmetric"
    taps = METHODS[one_of(what, "method", method.lower(), METHODS)]
    one_of(what, "coordinate_transformation_mode", mode, MODES)
    one_of(what, "rounding_method", rounding, ROUNDINGS)
    word = spatial(layout, what, letters)
    have = word.sizes(x.shape, what)
    if size is None:
        raise TewbError(f"{what}: no size is given", hint="the sizes of the result: size=(8, 8)", span=here())
    wanted = dict(zip(letters, sizes(f"{what}: size", size, len(letters)), strict=True))
    corners = (
        tuple(roi) if roi is not None and len(tuple(roi)) else (0.0,) * len(letters) + (1.0,) * len(letters)
    )
    if len(corners) != 2 * len(letters):
        raise TewbError(
            f"{what}: roi has {len(corners)} numbers, not {2 * len(letters)}",
            hint="all begins, then all ends",
            span=here(),
        )
    box = {c: (corners[n], corners[n + len(letters)]) for n, c in enumerate(letters)}
    shape = output_shape if output_shape is not None else word.at({**have, **wanted})

    def element(*indices: Any) -> Any:
        i = dict(zip(word.letters, indices, strict=True))
        at = {c: source_place(mode, i[c], have[c], wanted[c], *box[c]) for c in letters}
        read = _reader(x, word, i, have, letters)
        value = interpolate(at, have, taps, read, mode, rounding, alpha, bool(exclude))
        if mode == "tf_crop_and_resize":
            value = _inside_or(outside, at, have, value)
        return te.cast(value, out_dtype or x.dtype)

    return te.compute(shape, element, name="resize", tag=tag.INJECTIVE)


Read = Callable[[dict[str, Any]], Any]


def _reader(x: Tensor, word: Any, i: dict[str, Any], size: dict[str, Any], letters: str) -> Read:
    """A function that reads the element at given places, each brought to the nearest inside."""
    dtype = _computed(x.dtype)

    def read(places: dict[str, Any]) -> Any:
        inside = {c: te.max(te.min(places[c], size[c] - 1), te.const(0)) for c in letters}
        return te.cast(x(*word.at({**i, **inside})), dtype)

    return read


def _computed(dtype: DType) -> DType:
    """The dtype of the arithmetic: float64 stays, all else is float32."""
    return dtype if dtype == "float64" else DType("float32")


def _f(value: Any) -> Any:
    """A number or an expression as float32, in which places are computed."""
    return te.const(value, "float32") if isinstance(value, int | float) else te.cast(value, "float32")


def source_place(mode: str, i: Any, size: Any, target: Any, begin: Any = 0.0, end: Any = 1.0) -> Any:
    """The place in an input of `size` elements that index `i` of an output of `target` elements stands for."""
    place, single = _f(i), known(target) == 1
    scale = _f(size) / _f(target)
    last = _f(size - 1)
    match mode:
        case "align_corners":
            # An output of one element has no two corners; it is the first.
            return _f(0.0) if single else place * (last / _f(target - 1))
        case "asymmetric":
            return place * scale
        case "tf_half_pixel_for_nn":
            return (place + _f(0.5)) * scale
        case "pytorch_half_pixel" if single:
            return _f(0.0)
        case "tf_crop_and_resize":
            if single:
                return _f(0.5) * (_f(begin) + _f(end)) * last
            return _f(begin) * last + place * (_f(end) - _f(begin)) * (last / _f(target - 1))
    centre = (place + _f(0.5)) * scale - _f(0.5)
    if mode == "pytorch_half_pixel" and known(target) is None:
        return te.select(te.const(0) + target > 1, centre, _f(0.0))
    return centre


def interpolate(
    at: dict[str, Any],
    size: dict[str, Any],
    taps: int,
    read: Read,
    mode: str,
    rounding: str,
    alpha: float,
    exclude: bool,
) -> Any:
    """The value at a place between elements, from 1, 2 or 4 of them in each dimension."""
    if taps == 1:
        word = rounding or ("round" if mode == "align_corners" else "floor")
        return read({c: _nearest(p, word) for c, p in at.items()})
    base = {c: te.cast(te.floor(p), "int32") for c, p in at.items()}
    first = 0 if taps == 2 else -1
    weights = {}
    for c, p in at.items():
        fraction = p - te.floor(p)
        weights[c] = [_f(1.0) - fraction, fraction] if taps == 2 else _cubic(fraction, alpha)
        if taps == 4 and exclude:
            weights[c] = _without_outside(weights[c], base[c], size[c])
    total: Any = None
    for steps in product(range(taps), repeat=len(at)):
        value = read({c: base[c] + (first + n) for c, n in zip(at, steps, strict=True)})
        for c, n in zip(at, steps, strict=True):
            value = value * te.cast(weights[c][n], value.dtype)
        total = value if total is None else total + value
    return total


def _nearest(place: Any, rounding: str) -> Any:
    # Places such as 2.9999998, which rounding made of 3, are to be 3.
    epsilon = 1e-5
    match rounding:
        case "round":
            rounded = te.round(place)
        case "round_prefer_floor":
            rounded = te.ceil(place - _f(0.5))
        case "round_prefer_ceil":
            rounded = te.floor(place + _f(0.5))
        case "floor":
            rounded = te.floor(place + _f(epsilon))
        case _:
            rounded = te.ceil(place - _f(epsilon))
    return te.cast(rounded, "int32")


def _cubic(t: Any, alpha: float) -> list[Any]:
    """The weights of four neighbours by the cubic convolution of Keys (1981) with the parameter `alpha`; t is from 0 to 1
    between the second and the third."""
    a, one = _f(alpha), _f(1.0)

    def near(d: Any) -> Any:  # distance 0 to 1
        return ((a + _f(2.0)) * d - (a + _f(3.0))) * d * d + one

    def far(d: Any) -> Any:  # distance 1 to 2
        return ((d - _f(5.0)) * d + _f(8.0)) * d * a - _f(4.0) * a

    return [far(t + one), near(t), near(one - t), far(_f(2.0) - t)]


def _without_outside(weights: list[Any], base: Any, size: Any) -> list[Any]:
    """The weights of neighbours that are in the image, scaled to the sum 1."""
    kept = []
    for n, w in enumerate(weights):
        place = base + (n - 1)
        kept.append(te.select(te.all(place >= 0, place < size), w, _f(0.0)))
    total = kept[0] + kept[1] + kept[2] + kept[3]
    return [w / total for w in kept]


def _inside_or(outside: Any, at: dict[str, Any], size: dict[str, Any], value: Any) -> Any:
    inside: list[Any] = []
    for c, p in at.items():
        inside += [p >= _f(0.0), p <= _f(size[c] - 1)]
    return te.if_then_else(te.all(*inside), value, te.const(outside or 0.0, value.dtype))


def crop_and_resize(
    data: Tensor,
    boxes: Tensor,
    box_indices: Tensor,
    crop_size: Any,
    layout: str = "NCHW",
    method: str = "bilinear",
    extrapolation_value: float | None = None,
    out_dtype: str | None = None,
) -> Any:
    """Parts of images in one size: box n is (top, left, bottom, right) from 0 to 1 in image box_indices[n]. What it has
    outside of the image is `extrapolation_value`."""
    what = "crop_and_resize"
    x, b, which = tensor_of(what, data), tensor_of(what, boxes, 2), tensor_of(what, box_indices, 1)
    taps = METHODS[
        one_of(what, "method", method.lower(), ("nearest_neighbor", "bilinear", "linear", "bicubic"))
    ]
    check_same_size(what, b.shape[1], 4, "the numbers of a box and 4")
    check_same_size(what, b.shape[0], which.shape[0], "the numbers of boxes and of their images")
    word = spatial(layout, what, "HW")
    have = word.sizes(x.shape, what)
    wanted = dict(zip("HW", (known(n) if known(n) is not None else n for n in crop_size), strict=True))

    def element(*indices: Any) -> Any:
        i = dict(zip(word.letters, indices, strict=True))
        n = i["N"]
        image = te.cast(which(n), "int32")
        at = {
            c: source_place("tf_crop_and_resize", i[c], have[c], wanted[c], b(n, d), b(n, d + 2))
            for d, c in enumerate("HW")
        }
        read = _reader(x, word, dict(i, N=image), have, "HW")
        rounding = "round" if taps == 1 else ""
        value = interpolate(at, have, taps, read, "tf_crop_and_resize", rounding, -0.5, False)
        return te.cast(_inside_or(extrapolation_value, at, have, value), out_dtype or x.dtype)

    shape = word.at({**have, **wanted, "N": which.shape[0]})
    return te.compute(shape, element, name="crop_and_resize", tag=tag.INJECTIVE)
