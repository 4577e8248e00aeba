"""What programs say of intrinsics of their own."""

from __future__ import annotations

import tewb
from tewb import tir


def test_what_is_said_of_an_intrinsic_is_kept_and_changes_nothing() -> None:
    assert tewb.ir.register_op_attr("tir.mylog", "TCallEffectKind", tir.CallEffectKind.Pure) == 1

    @tewb.ir.register_op_attr("tir.mylog", "TGlobalSymbol")
    def name() -> str:
        return "mylog"

    assert name() == "mylog" and tir.CallEffectKind.Opaque == tir.CallEffectKind.UpdateState
