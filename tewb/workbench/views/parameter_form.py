"""The parameters of a primitive as widgets, made from its declaration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from tewb.schedule import REQUIRED, Param, Primitive
from tewb.workbench.session import Session

_WIDE = {"description_width": "initial"}


class ParameterForm:
    """Widgets for the parameters of `primitive` on `stage`; `loop` is the loop chosen beside it."""

    def __init__(
        self, session: Session, stage: str, primitive: Primitive, loop: Callable[[], str | None]
    ) -> None:
        self.session, self.stage, self.primitive, self.loop = session, stage, primitive, loop
        self.fields: dict[str, Any] = {}
        first = True
        for p in primitive.params:
            if p.kind == "axis" and p.name == "axis":
                continue  # the loop chooser
            self.fields[p.name] = self._field(p, first)
            first = False
        if "parent" in self.fields and "axis" in self.fields:
            self.fields["parent"].observe(lambda _: self._fill_places(), names="value")
            self._fill_places()

    @property
    def widgets(self) -> list[Any]:
        return list(self.fields.values())

    def _field(self, p: Param, first: bool) -> Any:
        options = self.session.choices(self.stage, self.primitive.name, p.name)
        common: dict[str, Any] = {"description": p.name, "tooltip": p.doc, "style": _WIDE}
        # A field tells its value when it is left, not at each letter: while the kernel is busy the front end
        # holds back all but the last, and a press of Apply would overtake it.
        typed = {**common, "continuous_update": False}
        match p.kind:
            case "int" | "size" | "value":
                return self._number(p, first, typed)
            case "axes":
                text = widgets.Text(value=", ".join(options), placeholder="loops, in order", **typed)
                text.layout.width = "300px"
                field: Any = text
            case "stages":
                field = widgets.SelectMultiple(
                    options=options, value=options, rows=min(3, max(len(options), 1)), **common
                )
            case _:
                value = options[0] if options else None
                field = widgets.Dropdown(options=options, value=value, **common)
        field.add_class(f"tw-param-{p.name}")
        return field

    def _number(self, p: Param, first: bool, common: dict[str, Any]) -> Any:
        required = p.default is REQUIRED
        suggested = "16" if first or required else ""
        if isinstance(p.default, int):
            suggested = str(p.default)
        field = widgets.Combobox(value=suggested, options=["2", "4", "8", "16", "32", "64", "128"], **common)
        field.layout.width = "150px"
        field.add_class(f"tw-param-{p.name}")
        return field

    def _fill_places(self) -> None:
        parent = self.fields["parent"].value
        options = (
            self.session.choices(self.stage, self.primitive.name, "axis", parent=parent) if parent else []
        )
        self.fields["axis"].options = options
        self.fields["axis"].value = options[0] if options else None

    def arguments(self) -> dict[str, Any]:
        """The arguments as a step has them; what was left empty is left out."""
        given: dict[str, Any] = {}
        for p in self.primitive.params:
            if p.name not in self.fields:
                given[p.name] = self.loop()
                continue
            value = self.fields[p.name].value
            match p.kind:
                case "int" | "size" | "value":
                    text = str(value).strip()
                    if text:
                        given[p.name] = int(text) if text.lstrip("-").isdigit() else text
                case "axes":
                    given[p.name] = [x.strip() for x in value.split(",") if x.strip()]
                case "stages":
                    given[p.name] = list(value)
                case _:
                    if value is not None:
                        given[p.name] = value
        return given
