"""The page that plays accesses without a kernel. That it does is tried in `tests/browser/test_data.py`."""

from __future__ import annotations

import json
import re

from tewb import te
from tewb.workbench.demos import demo_session
from tewb.workbench.saved_page import page_of
from tewb.workbench.session import Session
from tewb.workbench.states.code import LOWERED
from tewb.workbench.states.data import data_state
from tewb.workbench.states.schema import as_json


def test_all_that_is_shown_is_in_the_page() -> None:
    s = demo_session("matmul", n=4)
    data = as_json(data_state(s))
    page = page_of(s, data)
    text = re.search(r'<script type="application/json" id="kept">(.*?)</script>', page, re.S)
    assert text is not None
    kept = json.loads(text[1])
    assert kept["states"]["data"] == data and kept["states"]["loops"]["roots"][0]["stage"] == "A"
    assert kept["states"]["code"]["text"] == s.ir and [f["name"] for f in kept["states"]["forms"]] == [
        LOWERED
    ]
    assert "render" in kept["code"] and kept["traits"]["pane"] == "saved"
    assert not re.search(r"(src|href)=", page.replace(text[1], ""))  # nothing is fetched


def test_names_cannot_end_the_script() -> None:
    A = te.placeholder((2,), name="</script><b>")
    B = te.compute((2,), lambda i: A[i] + 1.0, name="B")
    s = Session(te.create_schedule(B.op), [A, B], name="f")
    page = page_of(s, as_json(data_state(s)))
    assert page.count("</script>") == 2 and "<b>" not in page
    assert "<title>f: what it does with its memory</title>" in page
