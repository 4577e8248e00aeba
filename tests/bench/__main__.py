"""Run the benchmarks: `python -m tests.bench matmul edit`, or all when none is named.

A file of this folder that has WORKLOADS is part of the table: numpy, tewb and the peers side by side. The others
print numbers of their own. A name is that of a file, or of a row of the table.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tests.bench.contest import Contest, Result
from tests.bench.harness import ROWS
from tests.bench.machine import about
from tests.bench.table import Table
from tests.bench.workload import Workload

FOLDER = Path(__file__).parent
PEERS = sorted(p.stem for p in (FOLDER / "peers").glob("[a-z]*.py"))
Rows = list[tuple[str, Workload]]


def chosen(names: list[str]) -> tuple[Rows, dict[str, Any]]:
    """The rows of the table that are named, and the files with a main of their own."""
    files = sorted(p.stem for p in FOLDER.glob("[a-z]*.py"))
    # A name that is no file may be a row of any.
    needed = [f for f in files if f in names] if names and set(names) <= set(files) else files
    rows: Rows = []
    others: dict[str, Any] = {}
    unknown = set(names)
    for file in needed:
        module = importlib.import_module(f"tests.bench.{file}")
        whole = not names or file in names
        if hasattr(module, "WORKLOADS"):
            own = [w for w in module.WORKLOADS if whole or w.name in names]
            rows += [(module.__name__, w) for w in own]
            unknown -= {file, *[w.name for w in own]}
        elif hasattr(module, "main"):
            others |= {file: module} if whole else {}
            unknown.discard(file)
    if unknown:
        sys.exit(f"there is no benchmark and no row {sorted(unknown)[0]!r}")
    # What arithmetic bounds comes first, then what memory does.
    return sorted(rows, key=lambda row: "memory" in row[1].tags), others


def compare(old: dict[str, float], new: dict[str, float]) -> None:
    """The ratios of this run beside those of an earlier one."""
    print(f"\n{'ratio to numpy':<44} {'before':>10} {'now':>10}")
    for name, now in new.items():
        before = old.get(name)
        if before is not None:
            print(f"{name:<44} {before:>10.2f} {now:>10.2f}{'   slower' if now < 0.9 * before else ''}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="files of tests/bench, or rows of the table")
    parser.add_argument("--threads", default="1", help="for the table: 1, 2 or 1,2 (default 1)")
    parser.add_argument("--peers", default=",".join(PEERS), help="which (default all); none for none")
    parser.add_argument("--peers-python", default=sys.executable, help="the Python that has the peers")
    parser.add_argument("--quick", action="store_true", help="few samples")
    parser.add_argument("--markdown", action="store_true", help="print the table for the README, too")
    parser.add_argument("--json", type=Path, help="keep the numbers in this file")
    parser.add_argument("--compare", type=Path, help="a file that --json wrote earlier")
    return parser.parse_args()


def race(
    contest: Contest, rows: Rows, peers: list[str], counts: list[int]
) -> list[tuple[Table, list[Result]]]:
    """The table for each count of threads, printed as it grows."""
    tables: list[tuple[Table, list[Result]]] = []
    wide = max((len(row.name) for _, row in rows), default=0)
    one: list[Result] = []
    for threads in counts if rows else ():
        print()
        results: list[Result] = []
        for r in contest.run(rows, threads):
            results.append(r)
            if len(results) == 1:  # from now on it is known who is here
                here = [p for p in peers if p in contest.versions]
                table = Table(threads, here, wide, one)
                print(table.head())
            print(table.line(r), flush=True)
        tables.append((table, results))
        one = one or (results if threads == 1 else [])
    return tables


def main() -> None:
    given = arguments()
    # A stopped worker would outlive this process, if it went without closing it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    old = json.loads(given.compare.read_text())["ratios"] if given.compare else {}
    peers = [] if given.peers == "none" else given.peers.split(",")
    contestants = dict.fromkeys(("numpy", "tewb"), sys.executable) | dict.fromkeys(peers, given.peers_python)
    rows, others = chosen(given.names)
    contest = Contest(contestants, repeat=3 if given.quick else 15)
    tables = race(contest, rows, peers, sorted({int(n) for n in given.threads.split(",")}))
    results = [r for _, some in tables for r in some]
    machine = about(contest.versions)
    print(f"\n{machine}")
    if given.markdown:
        print(f"\n{machine}. Times of numpy, and ratios to them: above 1 is faster. Medians of one run.")
        for table, some in tables:
            print("", *table.markdown(some), sep="\n")
    for module in others.values():
        # Beside the main thread: from there a long kernel runs on a helper thread, to stay interruptible, and on a
        # busy machine that may begin on the busier processor.
        runner = threading.Thread(target=module.main, daemon=True)
        runner.start()
        runner.join()
    ratios = {named(r): ratio for r in results if (ratio := r.ratio("tewb"))}
    ratios |= {row.name: row.other / row.tewb for row in ROWS}
    if given.compare:
        compare(old, ratios)
    if given.json:
        table_json = [r.as_json() for r in results]
        seconds = {row.name: [row.tewb, row.other] for row in ROWS}
        kept = {"about": machine, "ratios": ratios, "table": table_json, "seconds": seconds}
        given.json.write_text(json.dumps(kept, indent=1))
    if any("tewb" in r.absent for r in results):
        sys.exit("tewb has no result in a row")


def named(r: Result) -> str:
    """The key of a ratio of the table among all of a run."""
    return r.row if r.threads == 1 else f"{r.row}, {r.threads} threads"


if __name__ == "__main__":
    main()
