"""The import path of `AccessPlayer` in notebooks: `from tewb.workbench.player import AccessPlayer`."""

from tewb.workbench.views.access_player import AccessPlayer

__all__ = ["AccessPlayer"]
