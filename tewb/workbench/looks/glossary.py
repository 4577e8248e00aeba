"""Words of the field that the workbench uses, each in one plain sentence: for the page, for programs and for the documentation."""

from __future__ import annotations

import re

GLOSSARY: dict[str, tuple[str, str]] = {
    # word: what it is found by, the sentence
    "roof": (
        r"\broof",
        "What a program can reach on this machine at most: all its operations at the peak of the processor, or all its data as fast "
        "as the cache or memory that holds it gives it.",
    ),
    "cold": (
        r"\bcold\b",
        "No cache holds the data when the kernel begins; warm: it is there from the call before.",
    ),
    "latency chain": (
        r"\blatency chain",
        "Operations of which each needs the result of the one before, so that they wait for each other.",
    ),
    "ports": (
        r"\bports?\b|\bp\d+\b",
        "The places of a processor where work is done, one operation in a cycle each; p0, p5 and the like are their names.",
    ),
    "port pressure": (
        r"\bport pressure|\bports?\b",
        "For how many cycles an iteration keeps each port busy; the busiest port is a limit.",
    ),
    "front end": (
        r"\bfront end",
        "The part of a processor that fetches instructions and begins them, so many in a cycle.",
    ),
    "spill": (
        r"\bspill|\bregisters on the stack",
        "A value that is saved in memory and loaded back because there are too few registers.",
    ),
    "lanes": (r"\blanes?\b", "The places of a vector: one instruction works on the numbers in all of them."),
    "line": (r"\blines\b", "The 64 neighbouring bytes that a cache fetches and loses together."),
    "guard": (r"\bguard", "A condition that keeps out the iterations past the end of a loop."),
    "llvm-mca": (r"\bllvm-mca\b", "LLVM's own simulation of a loop on a model of the processor."),
}


def words_in(*texts: str) -> dict[str, str]:
    """The words of the field that are in texts, each with its sentence, in the order in which they first appear."""
    text = "\n".join(texts)
    found = {word: re.search(pattern, text) for word, (pattern, _) in GLOSSARY.items()}
    first = {word: m.start() for word, m in found.items() if m is not None}
    return {word: GLOSSARY[word][1] for word in sorted(first, key=lambda word: first[word])}
