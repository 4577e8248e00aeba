"""Layouts as words: NCHW, NHWC, NCHW16c, OIHW4i16o.

An upper-case letter is a dimension. A number and a lower-case letter is the inner block of that dimension, which is then
cut: in NCHW16c, channel c stands at index c // 16 of C and c % 16 of the block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tewb import te
from tewb.base import ShapeError, TewbError, here
from tewb.topi.checks import known


@dataclass(frozen=True)
class Layout:
    """The dimensions of an array by letters. Raises TewbError for a word that is no layout."""

    word: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([A-Z]|[1-9][0-9]*[a-z]|[a-z])+", self.word):
            self._refuse("it is made of upper-case letters, and numbers with a lower-case letter")
        for c in self.letters:
            if self.letters.count(c) > 1:
                self._refuse(f"{c} stands twice")
            if c.islower() and c.upper() not in self.letters:
                self._refuse(f"the block {c} is of a dimension {c.upper()} that is not there")

    def _refuse(self, reason: str) -> None:
        raise TewbError(
            f"{self.word!r} is no layout: {reason}", hint="NCHW, NHWC, NCHW16c are layouts", span=here()
        )

    @property
    def letters(self) -> str:
        """One letter for each dimension of the array."""
        return re.sub(r"[0-9]", "", self.word)

    @property
    def blocks(self) -> dict[str, int]:
        """The sizes of the blocks that the word gives: {"c": 16}."""
        return {c: int(n) for n, c in re.findall(r"([0-9]+)([a-z])", self.word)}

    def sizes(self, shape: Sequence[Any], what: str) -> dict[str, Any]:
        """The size of each dimension of the array by its letter. Raises ShapeError when they do not fit the word."""
        if len(shape) != len(self.letters):
            raise ShapeError(
                f"{what}: the layout {self.word} has {len(self.letters)} dimensions and the tensor {len(shape)}",
                hint="the layout has a letter for each dimension",
                span=here(),
            )
        by_letter = dict(zip(self.letters, shape, strict=True))
        for c, n in self.blocks.items():
            given = known(by_letter[c])
            if given is not None and given != n:
                raise ShapeError(
                    f"{what}: the layout {self.word} has blocks of {n}{c}, and the tensor of {given}",
                    hint=f"a layout of {given}{c}",
                    span=here(),
                )
        return by_letter

    def at(self, index: Mapping[str, Any]) -> list[Any]:
        """The indices of an element, given by letter, in the order of the dimensions."""
        return [index[c] for c in self.letters]

    def primal_sizes(self, shape: Sequence[Any], what: str) -> dict[str, Any]:
        """The size of each whole dimension: of C in NCHW16c the number of blocks times 16."""
        by_letter = self.sizes(shape, what)
        return {
            c: n * by_letter[c.lower()] if c.lower() in by_letter else n
            for c, n in by_letter.items()
            if c.isupper()
        }

    def primal_index(self, indices: Sequence[Any]) -> dict[str, Any]:
        """The index in each whole dimension of the element that has `indices` here."""
        by_letter = dict(zip(self.letters, indices, strict=True))
        return {
            c: i * self.blocks[c.lower()] + by_letter[c.lower()] if c.lower() in by_letter else i
            for c, i in by_letter.items()
            if c.isupper()
        }

    def from_primal(self, index: Mapping[str, Any]) -> list[Any]:
        """The indices here of an element that is given by whole dimensions."""
        indices = []
        for c in self.letters:
            block = self.blocks.get(c.lower())
            whole = index[c.upper()]
            if block is None:
                indices.append(whole)
            else:
                indices.append(te.indexdiv(whole, block) if c.isupper() else te.indexmod(whole, block))
        return indices


def spatial(layout: str, what: str, letters: str) -> Layout:
    """The layout, which must have the dimensions `letters`, uncut. Raises TewbError."""
    word = Layout(layout)
    for c in letters:
        if c not in word.letters or c.lower() in word.letters:
            raise TewbError(
                f"{what}: the layout {layout} has no whole dimension {c}",
                hint=f"{'NC' + letters} and {'N' + letters + 'C'} have",
                span=here(),
            )
    return word
