"""What a program is known by, whatever its schedule is."""

from __future__ import annotations

from tewb.workbench.demos import demo_session
from tewb.workbench.journal.fingerprint import fingerprint
from tewb.workbench.session import Session


def known_by(session: Session) -> str:
    return fingerprint(session.name, session.schedule, session.args)


def test_a_fingerprint_is_that_of_the_program_and_not_of_its_schedule() -> None:
    a, b = demo_session("matmul", n=32), demo_session("matmul", n=32)
    b.apply({"primitive": "split", "stage": "C", "args": {"axis": "j", "factor": 8}})
    assert known_by(a) == known_by(b)
    others = [demo_session("matmul", n=64), demo_session("blur", n=32), demo_session("extern")]
    assert len({known_by(s) for s in [a, *others]}) == 4
