"""`contrib.tedd`: classic TVM's graphs of a schedule, drawn by graphviz and shown in a notebook.

Each function writes the graph in the DOT language to `dot_file_path`, shows it when `show_svg` is set, and
returns its text when `output_dot_string` is set.
"""

from __future__ import annotations

from pathlib import Path

from tewb.base import TewbError, here
from tewb.schedule import Schedule


def viz_dataflow_graph(
    sch: Schedule, show_svg: bool = False, dot_file_path: str = "", output_dot_string: bool = False
) -> str | None:
    """The stages and the tensors between them."""
    from tewb.workbench.views import tedd  # the notebook layer, loaded when used

    return _dump(tedd.dataflow_graph(sch), show_svg, dot_file_path, output_dot_string)


def viz_schedule_tree(
    sch: Schedule, show_svg: bool = False, dot_file_path: str = "", output_dot_string: bool = False
) -> str | None:
    """The loops of every stage, and where each stage is computed."""
    from tewb.workbench.views import tedd

    return _dump(tedd.schedule_tree(sch), show_svg, dot_file_path, output_dot_string)


def viz_itervar_relationship_graph(
    sch: Schedule, show_svg: bool = False, dot_file_path: str = "", output_dot_string: bool = False
) -> str | None:
    """How the loops of every stage came from its axes."""
    from tewb.workbench.views import tedd

    return _dump(tedd.itervar_relationship_graph(sch), show_svg, dot_file_path, output_dot_string)


def _dump(source: str, show_svg: bool, dot_file_path: str, output_dot_string: bool) -> str | None:
    if dot_file_path:
        Path(dot_file_path).write_text(source, "utf-8")
    if show_svg:
        _show(source)
    return source if output_dot_string else None


def _show(source: str) -> None:
    """Show a graph in the notebook. Raises TewbError where nothing can draw it or show it."""
    from tewb.workbench.views import plain

    image = plain.picture(source, "graph of the schedule")
    if image is None:
        raise TewbError(
            "graphviz's program dot is not installed",
            hint="pip install 'tewb[dot]', or output_dot_string=True for the graph as text",
            span=here(),
        )
    try:
        from IPython import display
    except ImportError as e:
        raise TewbError("show_svg=True needs a notebook", hint="pip install 'tewb[workbench]'") from e
    display.display(display.HTML(image))  # type: ignore[no-untyped-call, unused-ignore]
