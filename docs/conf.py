"""The documentation as a site: `pip install '.[docs]'`, then `sphinx-build docs site`."""

project = "tewb"
author = "The tewb maintainers"
extensions = ["myst_parser"]
myst_heading_anchors = 3
# Links to files beside the documentation (the notebooks, the sources) are for readers of the repository.
suppress_warnings = ["myst.xref_missing"]
html_extra_path = ["access.html"]  # plays by itself, and stays as it is
html_theme = "alabaster"
html_theme_options = {"page_width": "1100px", "description": "The TE WorkBench"}
