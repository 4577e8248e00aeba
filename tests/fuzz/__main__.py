"""Run random programs for some time: `python -m tests.fuzz --seconds 3600 --seed 7 --jobs 2`."""

from __future__ import annotations

import argparse
import collections
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.fuzz.generate import program
from tests.fuzz.minimise import minimise
from tests.fuzz.script import script
from tests.fuzz.worker import Worker


class Campaign:
    """Programs of consecutive seeds in several workers; findings are written down once of each kind."""

    def __init__(
        self, seed: str, seconds: float, count: int, out: Path | None, each: int, shrink: float
    ) -> None:
        self.seed, self.until, self.count = seed, time.monotonic() + seconds, count
        self.out, self.each, self.shrink = out, each, shrink
        self.next = 0
        self.outcomes: collections.Counter[str] = collections.Counter()
        self.seen: collections.Counter[str] = collections.Counter()
        self._lock = threading.Lock()

    def work(self, cache: str) -> None:
        worker = Worker(cache)
        try:
            while (seed := self._take()) is not None:
                outcome = worker.run(program(seed))
                with self._lock:
                    self.outcomes[outcome.kind if outcome.is_finding else _short(outcome)] += 1
                if outcome.is_finding:
                    self._note(seed, outcome, worker)
        finally:
            worker.stop()

    def _take(self) -> str | None:
        with self._lock:
            if time.monotonic() > self.until or self.next >= self.count:
                return None
            self.next += 1
            return f"{self.seed}.{self.next - 1}"

    def _note(self, seed: str, outcome: Any, worker: Worker) -> None:
        sort = sort_of(outcome)
        with self._lock:
            self.seen[sort] += 1
            # What is wrong about a value shows only when the program is small.
            if self.seen[sort] > self.each * (8 if sort == "wrong value" else 1):
                return
        smallest = minimise(outcome, worker.run, self.shrink)
        shown = report(seed, smallest)
        with self._lock:
            print(shown, flush=True)
            if self.out is not None:
                with self.out.open("a") as f:
                    f.write(shown + "\n")


def _short(outcome: Any) -> str:
    """An outcome that is no finding, in few words."""
    return f"{outcome.kind} {outcome.words.split(chr(10))[0][:60]}".strip()


def sort_of(outcome: Any) -> str:
    """What findings of one cause often have in common: the kind, and the words without names and numbers."""
    letters = "".join(c for c in outcome.words.split("\n")[0] if not c.isdigit())
    return f"{outcome.kind} {letters[:60]}" if outcome.kind != "wrong value" else outcome.kind


def report(seed: str, outcome: Any) -> str:
    """A finding as a text with its script."""
    text = script(
        outcome.program, outcome.arrays, outcome.call, f"seed {seed}: {outcome.kind}\n{outcome.words}"
    )
    return f"{'-' * 100}\n{text}"


def main() -> int:
    ask = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    ask.add_argument("--seconds", type=float, default=60.0)
    ask.add_argument("--programs", type=int, default=10**9)
    ask.add_argument("--seed", default="0")
    ask.add_argument("--jobs", type=int, default=1)
    ask.add_argument("--out", type=Path, help="a file to add the findings to")
    ask.add_argument(
        "--each", type=int, default=2, help="how many findings of one sort are minimised and shown"
    )
    ask.add_argument("--shrink", type=float, default=60.0, help="seconds for making one of them smaller")
    given = ask.parse_args()
    campaign = Campaign(given.seed, given.seconds, given.programs, given.out, given.each, given.shrink)
    with tempfile.TemporaryDirectory() as cache:
        threads = [threading.Thread(target=campaign.work, args=(cache,)) for _ in range(given.jobs)]
        for t in threads:
            t.start()
        try:
            while any(t.is_alive() for t in threads):  # not in join, which does not take an interrupt well
                time.sleep(0.2)
        except KeyboardInterrupt:
            campaign.until = 0  # the programs that run now are the last
        for t in threads:
            t.join()
    print(f"{campaign.next} programs")
    for kind, n in campaign.outcomes.most_common():
        print(f"{n:8} {kind}")
    for sort, n in campaign.seen.most_common():
        print(f"{n:8} findings: {sort}")
    return 1 if campaign.seen else 0


if __name__ == "__main__":
    sys.exit(main())
