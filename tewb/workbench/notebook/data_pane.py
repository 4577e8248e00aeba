"""The pane of accesses as a widget of its own: it can be saved as a file; and the player of one buffer."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import traitlets

from tewb.base import TewbError, check_given, here
from tewb.runtime import get_num_threads
from tewb.workbench.notebook.panes import Pane, desk_of
from tewb.workbench.notebook.reprs import html
from tewb.workbench.saved_page import page_of
from tewb.workbench.session import Session
from tewb.workbench.states.data import data_state, first_cache, state_of
from tewb.workbench.states.schema import as_json
from tewb.workbench.trace.access_trace import AccessTrace, trace
from tewb.workbench.trace.cache_use import cache_use
from tewb.workbench.trace.data_trace import of_one_buffer
from tewb.workbench.views import access, plain


class DataPane(Pane):
    """What a program does with its memory, access by access: `session.view("data")`."""

    def __init__(self, session: Session, pane: str = "data", **traits: Any) -> None:
        super().__init__(session, pane, **traits)

    def save(self, path: str | Path) -> Path:
        """Write what is shown as a page of HTML that plays without a kernel or a network. Returns its path.

        The accesses are followed now where that was not done. Raises TewbError when they cannot be, or the file not be
        written.
        """
        check_given(isinstance(path, str | Path), "path", path, "a path", 'view.save("access.html")')
        desk = self._desk
        desk.wait()
        if not desk.is_traced_now:
            desk.keep_trace(as_json(data_state(self.session)))
        assert desk.traced is not None
        if desk.traced["problem"]:
            raise TewbError(f"there is nothing to save: {desk.traced['problem']}", span=here())
        try:
            Path(path).write_text(page_of(self.session, desk.traced), "utf-8")
        except OSError as e:
            raise TewbError(
                f"the page cannot be written: {e}", hint="is there such a folder?", span=here()
            ) from e
        return Path(path)


class AccessPlayer(DataPane):
    """Watch what loops do with one buffer: `AccessPlayer(session, "A")`, or of a trace that was made before.

    `time` is the access that is shown, counted from 0. The player stays as it is when the session goes on.
    """

    time: Any = traitlets.Int(0).tag(sync=True)

    def __init__(self, source: Session | AccessTrace, buffer: str = "", limit: int = 4096) -> None:
        self.trace = source if isinstance(source, AccessTrace) else trace(source, buffer, limit)
        session = source.session if isinstance(source, AccessTrace) else source
        if not isinstance(session, Session):
            raise TewbError(f"{source!r} has no session", hint='AccessPlayer(session, "A")', span=here())
        played = of_one_buffer(self.trace)
        own = session.copy()
        cache = first_cache(1.0)
        uses = [u.sentence for u in cache_use(played, cache.lines, get_num_threads())]
        desk_of(own).keep_trace(
            as_json(state_of(own, played, uses, f"In {cache.name}, for this buffer alone:"))
        )
        super().__init__(own)

    @traitlets.validate("time")
    def _inside(self, proposal: Any) -> int:
        return int(min(max(proposal["value"], 0), max(len(self.trace) - 1, 0)))

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        """The widget, and beside it plain HTML for a notebook that is opened without a kernel."""
        bundle = super()._repr_mimebundle_(**keywords)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = f"<div>{self._said_plainly()}{html(self.trace)}</div>"
            data["text/plain"] = str(self.trace)
        return bundle

    def _said_plainly(self) -> str:
        """The last moment as an image and a sentence."""
        if not self.trace.accesses:
            return ""
        last = len(self.trace) - 1
        said = access.caption(self.trace, last)
        return f"<div>{escape(said)}</div>{plain.image(access.frame(self.trace, last), said)}"
