"""The import path of `AccessPlayer` in notebooks: `from tewb.workbench.player import AccessPlayer`."""

from tewb.workbench.notebook.data_pane import AccessPlayer

__all__ = ["AccessPlayer"]
