"""Gives MyST-NB the recorded outputs, so that the build runs nothing, and bundles what the pages load."""

import importlib.util
import shutil
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.cache.main import CacheBundleIn
from sphinx.errors import ExtensionError

from spaces_core.lab.record import RECORDED, chapter_names, outdated, read_source


def fill_cache(app):
    """Put every recording in the cache from which MyST-NB takes outputs; a stale one stops the build."""
    folder = Path(app.outdir).parent / ".jupyter_cache"
    app.config.nb_execution_cache_path = str(folder)
    cache = get_cache(folder)
    for name in chapter_names():
        path, source = RECORDED / f"{name}.ipynb", read_source(name)
        code = [(c.source, c.metadata) for c in source.cells if c.cell_type == "code"]
        recorded = nbformat.read(path, 4) if path.exists() else None
        if recorded is None or code != [(c.source, c.metadata) for c in recorded.cells if c.cell_type == "code"]:
            raise ExtensionError(f"{name}: no recording of its present cells: python -m spaces_core.lab.record {name}")
        if outdated(name):
            print(f"note: {name} was recorded with other code than is here: python -m spaces_core.lab.record {name}")
        bundle = CacheBundleIn(nb=recorded, uri=str(Path(app.srcdir) / f"{name}.md"))
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def depend(app, docname, source):
    """A page is built anew when its recording changes."""
    for kind in (".ipynb", ".ledger.json", ".run.json"):
        path = RECORDED / (docname + kind)
        if path.exists():
            app.env.note_dependency(str(path))


def copy_notebooks(app, error):
    """The recorded notebooks, to download."""
    if error is None and app.builder.format == "html":
        for name in chapter_names():
            target = Path(app.outdir) / "notebooks" / f"{name}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(RECORDED / f"{name}.ipynb", target)


def write_plain_text(app, error):
    """The chapters' sources as plain text, and `llms.txt`, which lists them."""
    if error is not None or app.builder.name != "html":
        return
    out, pages = Path(app.outdir), ""
    for name in chapter_names():
        target = out / "text" / f"{name}.md"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(app.srcdir) / f"{name}.md", target)
        pages += f"- [{app.env.titles[name].astext()}](text/{name}.md)\n"
    about = "> Deep-learning mathematics in which the equation that is printed is the equation that was checked."
    (out / "llms.txt").write_text(f"# {app.config.project}\n\n{about}\n\n## Chapters\n\n{pages}", encoding="utf-8")


def report_weight(app, error):
    """What a reader loads: the pages, and what they share."""
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    pages = {p.relative_to(out): p.stat().st_size for p in out.rglob("*.html")}
    heaviest = max(pages, key=pages.get)
    shared = sum((out / "_static" / name).stat().st_size for name in ("mathjax/tex-chtml.js", "styles/furo.css"))
    print(
        f"{len(pages)} pages of {sum(pages.values()) / len(pages) / 1e3:.0f} kB on average, the heaviest "
        f"{heaviest} with {pages[heaviest] / 1e3:.0f} kB; shared by all: {shared / 1e6:.1f} MB"
    )


def copy_mathjax(app):
    """MathJax and its fonts from the installed package: pages load nothing from elsewhere."""
    spec = importlib.util.find_spec("mathjax")
    if spec is None:
        raise ExtensionError("MathJax is not installed: pip install 'spaces-core[book]'")
    source = Path(next(iter(spec.submodule_search_locations))) / "static" / "mathjax" / "es5"
    target = Path(app.outdir) / "_static" / "mathjax"
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / "tex-chtml.js", target / "tex-chtml.js")
    shutil.copytree(source / "output" / "chtml" / "fonts", target / "output" / "chtml" / "fonts", dirs_exist_ok=True)


def setup(app):
    app.connect("builder-inited", fill_cache, priority=100)
    app.connect("builder-inited", copy_mathjax)
    app.connect("source-read", depend)
    app.connect("build-finished", copy_notebooks)
    app.connect("build-finished", write_plain_text)
    app.connect("build-finished", report_weight)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
