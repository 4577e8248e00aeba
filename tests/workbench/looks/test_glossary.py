"""Words of the field: each is explained where it stands, by the same sentence everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tewb.workbench.looks.glossary import GLOSSARY, words_in

DOCS = Path(__file__).parents[3] / "docs" / "workbench.md"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("at 3% of the roof of this machine", ["roof"]),
        ("5 loads keep ports p2, p3 busy", ["ports", "port pressure"]),
        ("p5 is busy", ["ports"]),
        ("its latency chain; then the front end", ["latency chain", "front end"]),
        ("spills, C: 9 of them save registers on the stack", ["spill"]),
        ("the last 4 are guarded; the cold time", ["guard", "cold"]),
        ("proofs, exports and scolding, in a line", []),
    ],
)
def test_the_words_of_a_text_in_their_order(text: str, words: list[str]) -> None:
    assert list(words_in(text)) == words
    assert words_in(text) == {word: GLOSSARY[word][1] for word in words}


def test_each_word_is_found_by_its_own_name_and_explained_in_one_sentence() -> None:
    for word, (_, sentence) in GLOSSARY.items():
        assert word in words_in(f"{word}s" if word in ("line", "spill") else word)
        assert sentence.endswith(".") and ". " not in sentence
        assert sentence[0].isupper()


def test_the_documentation_says_the_same() -> None:
    text = " ".join(DOCS.read_text("utf-8").split())
    for word, (_, sentence) in GLOSSARY.items():
        assert f"**{word}**: {sentence}" in text, word
