"""How a session is shown: HTML panels, graphs, and the widgets of the workbench."""
