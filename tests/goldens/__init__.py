"""What programs become when they are lowered: a small file of text for each, reviewed like code.

`python -m tests.goldens` writes the files again; `git diff tests/goldens` shows what a change does to lowered code.
"""
