r"""A reader's re-check: in Python, and in the page with the bundled Python, from a server and from a folder."""

import contextlib
import functools
import http.server
import importlib.util
import json
import re
import shutil
import threading

import pytest

from spaces_core.checks.page import read_page
from spaces_core.checks.recheck import editable, recheck
from spaces_core.checks.runner import check_file
from spaces_core.checks.slicing import needed
from spaces_core.lab.record import ROOT
from tests.browsing import missing

PAGE = r"""# A page

$$
s(x) = \frac{1}{1 + e^{-x}}
$$ (eq-t-def)

```{code-cell} ipython3
:tags: [check]
from sympy import Function, Rational, symbols
from spaces_core.checks import Chapter
a, b, x = symbols("a b x", real=True)
ch = Chapter("t/page")
ch.bind({"a": a, "b": b, "x": x})
ch.define("eq-t-def")
```

```{math}
:label: eq-t-slope
\frac{\mathrm{d}}{\mathrm{d} x} s(x) = s(x) (1 - s(x))
```

```{code-cell} ipython3
:tags: [check]
ch.prove("eq-t-slope")
ch.prove("eq-t-zero")
```

$$
s(0) = \frac{1}{2}
$$ (eq-t-zero)

$$ (a + b)^2 = a^2 + 2 a b + b^2 $$ (eq-t-square)

```{code-cell} ipython3
:tags: [check]
ch.prove("eq-t-square")
```

$$
a^2 + b^2 \ge 2 a b
$$ (eq-t-mean)

```{code-cell} ipython3
:tags: [check]
ch.prove("eq-t-mean", by="z3", tight={"a": 1, "b": 1}, pins=[({"a": 1, "b": 2}, (5, 4))])
```

$$
(a + b)^3 = a^3 + b^3
$$ (eq-t-wrong)

```{code-cell} ipython3
:tags: [check]
ch.refute("eq-t-wrong", {"a": 2, "b": 3}, sides=(125, 35))
```

$$
a^2 \ge 0
$$ (eq-t-sampled)

```{code-cell} ipython3
:tags: [check]
import numpy as np
ch.sample("eq-t-sampled", lambda z: {"a": np.float64(z[0])}, size=1, n=50, domain="normal a", tight={"a": 0},
          pins=[({"a": 2}, (4, 0))])
half = Rational(1, 2)
```

$$
2 a = a + a
$$ (eq-t-half)

```{code-cell} ipython3
:tags: [check]
ch.prove("eq-t-half", {"a": a / half})
```

```{code-cell} ipython3
:tags: [check]
ch.report()
```
"""


def ask(label, latex, **more):
    return recheck(PAGE, label, latex, **more)


def test_a_true_equation_is_accepted_however_it_is_written():
    found = ask("eq-t-square", r"b^2 + a (a + 2 b) = (a + b)^2")
    assert found["ok"] and found["state"] == "holds" and "SymPy" in found["message"]


@pytest.mark.parametrize(
    ("typo", "right"),
    [
        ("(a + b)^2 = a^2 - 2 a b + b^2", lambda a, b: (a - b) ** 2),
        ("(a + b)^2 = a^2 + 2 a b", lambda a, b: a * a + 2 * a * b),
        ("(a + b)^2 > a^2 + 2 a b + b^2", lambda a, b: (a + b) ** 2),
    ],
)
def test_a_typo_is_rejected_at_a_point_where_the_sides_are_so(typo, right):
    found = ask("eq-t-square", typo)
    assert not found["ok"] and found["state"] == "fails"
    assert [name for name, _ in found["point"]] == ["a", "b"]
    a, b = (float(value) for _, value in found["point"])
    assert float(found["left"]) == pytest.approx((a + b) ** 2, rel=1e-2)
    assert float(found["right"]) == pytest.approx(right(a, b), rel=1e-2)


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"a^2 \boxtimes b = 1", "boxtimes"),
        (r"a / b c = 1", "ambiguous"),
        ("(a + b^2 = 1", "expected"),
        ("a^2 = c", "c is not bound"),
        ("a + b", "no relation"),
        ("a = a $$", "dollar"),
        ("  ", "empty"),
    ],
)
def test_what_is_outside_the_dialect_is_rejected_with_the_engines_words(latex, said):
    found = ask("eq-t-square", latex)
    assert not found["ok"] and found["state"] == "unreadable" and said in found["message"]


def test_a_definition_is_tried_in_the_statement_that_rests_on_it():
    good = ask("eq-t-def", r"s(x) = \frac{e^x}{e^x + 1}", only=["eq-t-slope"])
    assert good["ok"]
    bad = ask("eq-t-def", r"s(x) = \frac{1}{1 + e^{x}}", only=["eq-t-slope"])
    assert not bad["ok"] and bad["label"] == "eq-t-slope" and bad["point"] and bad["left"] != bad["right"]
    none = ask("eq-t-def", r"s(x) = \frac{1}{1 + e^{y}}", only=["eq-t-slope"])
    assert none["state"] == "unreadable" and "y is not bound" in none["message"]


def test_without_z3_an_inequality_is_searched_and_held_to_its_spot_values(monkeypatch):
    assert ask("eq-t-mean", r"(a - b)^2 + 2 a b \ge 2 a b")["state"] == "holds"
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "z3" else real(name, *a))
    assert ask("eq-t-mean", r"a^2 + b^2 \ge 2 a b")["state"] == "searched"
    false = ask("eq-t-mean", r"a^2 + b^2 \ge 3 a b")
    assert false["state"] == "fails" and float(false["left"]) < float(false["right"])
    weak = ask("eq-t-mean", r"a^2 + b^2 \ge a b")
    assert weak["state"] == "fails" and "spot" in weak["message"]


def test_a_refuted_statement_is_tried_at_its_counterexample():
    same = ask("eq-t-wrong", "(a + b)^3 = a^3 + b^3")
    assert (same["state"], same["left"], same["right"]) == ("refuted", "125", "35")
    repaired = ask("eq-t-wrong", "(a + b)^3 = a^3 + b^3 + 3 a b (a + b)")
    assert (repaired["state"], repaired["left"], repaired["right"]) == ("survives", "125", "125")


def test_teeth_tell_a_weaker_statement():
    strong, weak = (ask("eq-t-square", t, teeth=True)["typos"] for t in ("(a+b)^2 = a^2 + 2ab + b^2", r"(a+b)^2 \ge 0"))
    assert strong["caught"] == strong["made"] - strong["equivalent"] > 5
    assert weak["caught"] < weak["made"] - weak["equivalent"]


def test_an_unknown_label_is_an_error():
    with pytest.raises(KeyError, match="eq-none"):
        ask("eq-none", "a = a")


@pytest.fixture(scope="module")
def statements(tmp_path_factory):
    """What the page of the tests lets its reader edit."""
    file = tmp_path_factory.mktemp("page") / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    (chapter,), problems = check_file(file)
    assert not problems
    return editable(read_page(file), chapter.ledger())


def test_only_symbolic_statements_can_be_edited(statements):
    assert set(statements) == {f"eq-t-{k}" for k in ("def", "slope", "zero", "square", "mean", "wrong", "half")}
    assert statements["eq-t-def"]["only"] == ["eq-t-slope", "eq-t-zero"]


def test_what_a_check_needs_is_traced_through_the_cells(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    sources = [p.source for p in needed(read_page(file), {"eq-t-half"})]
    assert "half = Rational(1, 2)" in sources and "import numpy as np" not in sources
    assert [s for s in sources if ".prove" in s] == ['ch.prove("eq-t-half", {"a": a / half})']
    assert not needed(read_page(file), {"eq-t-sampled"})


def test_the_engine_needs_no_numerical_package():
    import subprocess
    import sys

    code = (
        "import sys; from importlib.abc import MetaPathFinder\n"
        "class No(MetaPathFinder):\n"
        "    def find_spec(self, name, *a):\n"
        "        if name.split('.')[0] in ('numpy', 'scipy', 'torch', 'z3'): raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\n"
        "import spaces_core.checks.recheck as r; page = sys.stdin.read()\n"
        "print(r.recheck(page, 'eq-t-square', '(a + b)^2 = a^2 + b^2')['state'])"
    )
    ran = subprocess.run([sys.executable, "-c", code], input=PAGE, capture_output=True, text=True, cwd=ROOT)
    assert ran.stdout.strip() == "fails", ran.stderr


def bundler():
    spec = importlib.util.spec_from_file_location("bundle", ROOT / "book" / "recheck" / "bundle.py")
    bundle = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bundle)
    return bundle


def test_without_npm_the_bundle_says_what_is_missing(monkeypatch, tmp_path):
    bundle = bundler()
    monkeypatch.setattr(bundle, "CACHE", tmp_path)
    monkeypatch.setattr(bundle.shutil, "which", lambda name: None)
    with pytest.raises(bundle.Unavailable, match="npm is not installed"):
        bundle.runtime()


# --- in the page ----------------------------------------------------------------------------------------------------
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/recheck.css"><script src="_static/recheck.js"></script></head><body><main>
<h1>Test</h1>{panels}</main><script type="application/json" id="recheck-statements">{data}</script></body></html>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, statements):
    """A small static page with the panels and the bundle."""
    bundle = bundler()
    home = tmp_path_factory.mktemp("site")
    try:
        size = bundle.write(home / "_static" / "recheck", {"t/page": PAGE})
    except bundle.Unavailable as error:
        missing(str(error))
    assert size < 18e6
    for name in ("recheck.js", "recheck.css"):
        shutil.copy(ROOT / "book" / "_static" / name, home / "_static" / name)
    panels = "".join(
        f'<details class="evidence" data-label="{k}" open><summary>{k}</summary><dl></dl></details>' for k in statements
    )
    rows = {k: {"typos": [], **v} for k, v in statements.items()}
    data = json.dumps({"chapter": "t/page", "megabytes": 14, "statements": rows}).replace("<", "\\u003c")
    (home / "index.html").write_text(HTML.format(panels=panels, data=data), encoding="utf-8")
    return home


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


@pytest.fixture(scope="module", params=["http", "file"])
def visit(request, browser, folder):
    """The page, with all that it asked for and complained of."""
    with address(folder, request.param) as root:
        context = browser.new_context(viewport={"width": 390, "height": 900})
        tab = context.new_page()
        tab.asked, tab.errors, tab.root = [], [], root
        context.on("request", lambda r: tab.asked.append(r.url))
        tab.on("pageerror", lambda e: tab.errors.append(str(e)))
        tab.on("console", lambda m: tab.errors.append(m.text) if m.type == "error" else None)
        tab.goto(f"{root}/index.html")
        assert len(tab.asked) == 3, "nothing of Python is loaded before a reader asks for it"
        yield tab
        context.close()


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


def test_the_page_accepts_the_true_equation_and_rejects_typos(visit):
    state, text = verdict(visit, "eq-t-square", "(a + b)^2 = a^2 + 2 a b + b^2")
    assert state == "holds" and "It holds" in text
    found = panel(visit, "eq-t-square")
    found.get_by_role("button", name="make typos").click()
    found.get_by_text("typos in your version are caught").wait_for()
    state, text = verdict(visit, "eq-t-square", "(a + b)^2 = a^2 - 2 a b + b^2")
    assert state == "fails"
    a, b, left, right = map(float, re.findall(r"-?\d+\.\d+", text)[:4])
    assert left == pytest.approx((a + b) ** 2, rel=1e-2) and right == pytest.approx((a - b) ** 2, rel=1e-2)
    state, text = verdict(visit, "eq-t-square", r"(a + b)^2 \boxtimes b^2")
    assert state == "unreadable" and "boxtimes" in text


def test_the_page_tries_definitions_inequalities_and_refuted_statements(visit):
    assert verdict(visit, "eq-t-def", r"s(x) = \frac{e^x}{e^x + 1}")[0] == "holds"
    state, text = verdict(visit, "eq-t-def", r"s(x) = \frac{1}{1 + e^{x}}")
    assert state == "fails" and "eq-t-slope" in text
    state, text = verdict(visit, "eq-t-mean", r"a^2 + b^2 \ge 2 a b")
    assert state == "searched" and "z3" in text
    assert verdict(visit, "eq-t-mean", r"a^2 + b^2 \ge 3 a b")[0] == "fails"
    assert verdict(visit, "eq-t-wrong", "(a + b)^3 = a^3 + b^3")[0] == "refuted"


def test_the_page_asks_for_nothing_outside_its_folder(visit):
    verdict(visit, "eq-t-square", "(a + b)^2 = (b + a)^2")
    outside = [url for url in visit.asked if not url.startswith((visit.root, "blob:", "data:"))]
    assert not outside and not visit.errors
    assert visit.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_check_can_be_stopped_and_python_started_again(visit):
    found = panel(visit, "eq-t-slope")
    found.evaluate(
        "p => { for (const b of p.querySelectorAll('button')) if (/Re-check|Stop/.test(b.textContent)) b.click() }"
    )
    found.get_by_text("Stopped.").wait_for()
    assert verdict(visit, "eq-t-square", "(a + b)^2 = (b + a)^2")[0] == "holds"


def test_the_panel_is_accessible(visit):
    from axe_playwright_python.sync_playwright import Axe

    panel(visit, "eq-t-square")
    axe = Axe().run(visit, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
    assert not axe.response["violations"], axe.generate_report()
