"""Sphinx settings of the static book: pages from chapters/, outputs from tests/recorded/, nothing executed."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHAPTERS = HERE.parent / "chapters"
sys.path.insert(0, str(HERE))

project = "Spaces"
author = "The authors of Spaces"
project_copyright = "2026, the authors of Spaces; text CC BY 4.0, code MIT"
language = "en"
# "owner/name" of the public clone on GitHub: with it, each chapter has a button that runs it on Binder.
repository = os.environ.get("SPACES_REPOSITORY", "")

extensions = [
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "recordings",
    "directives",
    "front",
    "previews",
    "recheck",
    "single",
]
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
bibtex_bibfiles = sorted(str(p) for p in CHAPTERS.rglob("*.bib"))
bibtex_reference_style = "author_year"
# Each chapter has its own list of references: the same short label in two of them is no clash.
suppress_warnings = ["bibtex.duplicate_label"]
# JupyterLab leaves copies of opened pages here.
exclude_patterns = ["**.ipynb_checkpoints"]
nb_execution_mode = "cache"
nb_execution_excludepatterns = sorted(p.name for p in CHAPTERS.glob("*.md"))
nb_merge_streams = True
copybutton_exclude = ".linenos, .gp, .go"

mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {
    # An unknown macro is an error that the browser tests find, not red text.
    "tex": {"packages": {"[-]": ["noundefined"]}},
    "chtml": {"matchFontHeight": False, "scale": 1.1},
    "options": {"menuOptions": {"settings": {"collapsible": False}}},
}

html_theme = "furo"
html_title = "Spaces"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_js_files = ["book.js"]
html_favicon = "_static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#00547f", "color-brand-content": "#005a8a"},
    "dark_css_variables": {"color-brand-primary": "#6cc3f0", "color-brand-content": "#6cc3f0"},
}
