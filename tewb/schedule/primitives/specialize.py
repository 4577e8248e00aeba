"""specialize and otherwise: calls of which a condition holds have a body of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from tewb.base import ScheduleError, here, literal
from tewb.ir import Expr
from tewb.schedule.conditions import certain
from tewb.schedule.declare import Arguments, Param, Refusal, Results, Selection, Values, primitive
from tewb.schedule.journal import Step
from tewb.schedule.schedule import Schedule
from tewb.schedule.stage import Stage

if TYPE_CHECKING:
    from tewb.schedule.code import Names

MOST_BODIES = 8


class Body:
    """The body that `specialize` began. At the end of a block `with s.specialize(...):` come steps for all other calls
    again."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule, self.condition = schedule, schedule.within

    def __enter__(self) -> Schedule:
        return self.schedule

    def __exit__(self, *_: object) -> None:
        if self.schedule.within == self.condition:
            self.schedule.otherwise()

    def __getitem__(self, what: object) -> NoReturn:
        raise ScheduleError(
            "the next steps of s are those of the body, which has no stages of its own",
            hint='with s.specialize("n % 16 == 0"): s[C].vectorize(...)',
            span=here(),
        )


def _conditions(stage: Stage) -> list[str]:
    """Conditions that a person may want: on sizes, and on the strides of arguments of several dimensions."""
    s = stage.schedule
    sizes = {*s.size_vars()}
    names = [name for name, v in s.program_variables().items() if v in sizes]
    ends = [x for x in s.stages if x.is_placeholder or x.is_output]
    turned = [f"stride({x.name}, {d}) == 1" for x in ends for d in range(x.op.outputs[0].ndim - 1)]
    return [*(f"{n} % 16 == 0" for n in names), *(f"{n} >= 64" for n in names), *turned]


@primitive(
    Param(
        "condition",
        "call condition",
        "of sizes and strides, when its steps are done",
        choices=_conditions,
        code="{}",
    ),
    is_of_bodies=True,
)
def specialize(schedule: Schedule, condition: Expr | str) -> Body:
    """Give calls of which a condition holds a body of their own: the steps in the block are done in it only. It begins with
    the steps so far; those after the block are for all other calls.

        io, ii = s[B].split(i, 16)                    if n % 16 == 0:
        with s.specialize(n % 16 == 0):                   for i.outer in n // 16: vectors of 16, without a guard
            s[B].vectorize(ii)                  ->    else:
        s[B].parallel(io)                                 for i.outer in (n + 15) // 16 (parallel): ...

    Conditions compare sizes, variables, and strides of arguments in elements (`te.stride(A, 0) == 1`: columns of neighbours),
    with + - * // and %, and are joined by te.all and te.any. Loops of the body rely on its condition: guards that it proves
    are gone, and a size of which it says the number (`n == 16`) is that number: its loops can be vectorized and unrolled. An
    argument whose stride is named comes with any strides. Of several bodies a call takes the first whose condition holds.
    Without `with`, the body ends at s.otherwise(); the condition of an earlier body goes on with it.
    """
    schedule.do("specialize", schedule.output_stages[0], {"condition": condition})
    return Body(schedule)


@specialize.legal
def _refusal(stage: Stage, v: Values) -> Refusal | None:
    s, condition = stage.schedule, v["condition"]
    if s.within is not None:
        return Refusal(
            f"these steps are for calls with {s.within}, and bodies stand one after the other",
            "end that body with s.otherwise(); for calls of which both hold, join the two: te.all(a, b)",
        )
    if condition in s.bodies:
        return None
    if len(s.bodies) == MOST_BODIES:
        return Refusal(
            f"there are {MOST_BODIES} bodies already", "each makes the code longer: join their conditions"
        )
    match certain(s, condition):
        case True:
            return Refusal(
                f"{condition} holds in every call that comes to it", "do its steps without specialize"
            )
        case False:
            return Refusal(
                f"{condition} holds in no call that comes to it, so its body would never run",
                "a condition that holds in some calls, and in none of an earlier body: n % 16 == 0",
            )
    return None


@specialize.effect
def _effect(stage: Stage, v: Values, step: int) -> Results:
    stage.schedule.show_body(v["condition"])
    return []


@specialize.code
def _code(step: Step, names: Names) -> str:
    return f"s.specialize({literal(step.args['condition'])})"


@specialize.suggest
def _suggest(at: Selection) -> Iterator[Arguments]:
    wanted = _conditions(at.stage)
    yield {"condition": wanted[0] if wanted else None}


@primitive(is_of_bodies=True)
def otherwise(schedule: Schedule) -> None:
    """End the body of `specialize`: the next steps are for all other calls. The end of a block `with s.specialize(...)` does it.

    s.specialize(n % 16 == 0);  s[B].vectorize(ii);  s.otherwise();  s[B].parallel(io)
    """
    schedule.do("otherwise", schedule.output_stages[0], {})


@otherwise.legal
def _otherwise_refusal(stage: Stage, v: Values) -> Refusal | None:
    if stage.schedule.within is not None:
        return None
    return Refusal(
        "no body of specialize is open: these steps are for all other calls", 's.specialize("n % 16 == 0")'
    )


@otherwise.effect
def _end(stage: Stage, v: Values, step: int) -> Results:
    stage.schedule.show_body(None)
    return []


@otherwise.code
def _code_of_end(step: Step, names: Names) -> str:
    return "s.otherwise()"


@otherwise.suggest
def _suggest_end(at: Selection) -> Iterator[Arguments]:
    yield {}
