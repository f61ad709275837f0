"""A small page whose statements a reader edits, as a static page with the bundled Python."""

import contextlib
import functools
import http.server
import importlib.util
import json
import shutil
import threading

from spaces_core.checks.page import read_page
from spaces_core.checks.recheck import editable
from spaces_core.checks.runner import check_file
from spaces_core.lab.record import ROOT
from tests.browsing import missing

PAGE = r"""# A page

$$ a, b, x \in \mathbb R, \quad t > 0 $$ (eq-t-set)

$$ s(x) = \frac{1}{1 + e^{-x}} $$ (eq-t-def)

$$ \frac{\mathrm{d}}{\mathrm{d} x} s(x) = s(x) \cdot (1 - s(x)) $$ (eq-t-slope)

$$ s(0) = \frac{1}{2} $$ (eq-t-zero)

$$ (a + b)^2 = a^2 + 2 a b + b^2 $$ (eq-t-square)

$$ \sqrt{t^2} = t $$ (eq-t-root)

$$ a^2 + b^2 \ge 2 a b $$ (eq-t-mean)

$$ (a + b)^3 = a^3 + b^3 $$ (eq-t-wrong)

$$ n \in \mathbb N $$ (eq-t-n)

$$ \sum_{i=1}^{n} i = \frac{n (n + 1)}{2} $$ (eq-t-sum)

$$ L < M $$ (eq-t-measured)

```{code-cell} ipython3
:tags: [check]
from spaces_core.checks import Chapter
ch = Chapter("t/page")
ch.setting("eq-t-set", "eq-t-n")
ch.define("eq-t-def")
ch.prove("eq-t-slope")
ch.prove("eq-t-zero")
ch.prove("eq-t-square")
ch.prove("eq-t-root")
ch.prove("eq-t-mean", by="z3")
ch.trap("eq-t-wrong", {"a": 2, "b": 3}, sides=(125, 35))
ch.prove("eq-t-sum", by="induction", on="n")
```

```{code-cell} ipython3
:tags: [check]
import numpy as np
draw = np.random.default_rng(0).random
low, high = draw(5), 3 + draw(5)
ch.demonstrate("eq-t-measured", {"L": low, "M": high}, sides=(low.mean(), high.mean()))
ch.report()
```
"""


def editable_statements(folder):
    """What the page lets its reader edit, after its checks have passed."""
    file = folder / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    (chapter,), problems = check_file(file)
    assert not problems
    return editable(read_page(file), chapter.ledger())


def bundler():
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "book" / "recheck" / "bundle.py")
    bundle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bundle)
    return bundle


HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/recheck.css"><script src="_static/recheck.js"></script></head><body><main>
<h1>Test</h1>{panels}</main><script type="application/json" id="recheck-statements">{data}</script></body></html>"""


def site(home, statements):
    """A small static page with the panels and the bundle; returns the bundle's size."""
    bundle = bundler()
    try:
        size = bundle.write(home / "_static" / "recheck", {"t/page": PAGE})
    except bundle.Unavailable as error:
        missing(str(error))
    for name in ("recheck.js", "recheck.css"):
        shutil.copy(ROOT / "book" / "_static" / name, home / "_static" / name)
    panels = "".join(
        f'<details class="evidence" data-label="{k}" open><summary>{k}</summary><dl></dl></details>' for k in statements
    )
    rows = {k: {"typos": [], **v} for k, v in statements.items()}
    data = json.dumps({"chapter": "t/page", "megabytes": 14, "statements": rows}).replace("<", "\\u003c")
    (home / "index.html").write_text(HTML.format(panels=panels, data=data), encoding="utf-8")
    return size


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def address(folder, scheme):
    if scheme == "file":
        yield folder.as_uri()
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def panel(tab, label):
    found = tab.locator(f'details[data-label="{label}"]')
    opened = found.get_by_role("button", name="Try to break it")
    if opened.count():
        opened.click()
    return found


def verdict(tab, label, latex):
    """Type LaTeX in the label's panel, ask, and return the state and the text of the answer."""
    found = panel(tab, label)
    box = found.get_by_label("The equation in LaTeX")
    box.fill(latex)
    box.press("Control+Enter")
    answer = found.get_by_role("status")
    answer.and_(tab.locator("[data-state]")).wait_for(timeout=150_000)
    return answer.get_attribute("data-state"), answer.inner_text()
