"""The fuzzer itself: guard pages guard, the reference knows what is what, and findings are found and made small."""

from __future__ import annotations
