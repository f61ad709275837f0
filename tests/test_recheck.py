r"""A reader's re-check: in Python, and in the page with the bundled Python, from a server and from a folder."""

import re

import pytest

from tests.rechecking import address, bundler, editable_statements, panel, site, verdict


@pytest.fixture(scope="module")
def statements(tmp_path_factory):
    return editable_statements(tmp_path_factory.mktemp("page"))


def test_without_npm_the_bundle_says_what_is_missing(monkeypatch, tmp_path):
    bundle = bundler()
    monkeypatch.setattr(bundle, "CACHE", tmp_path)
    monkeypatch.setattr(bundle.shutil, "which", lambda name: None)
    with pytest.raises(bundle.Unavailable, match="npm is not installed"):
        bundle.runtime()


# --- in the page ----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def folder(tmp_path_factory, statements):
    home = tmp_path_factory.mktemp("site")
    assert site(home, statements) < 18e6
    return home


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


def test_the_page_tries_definitions_inequalities_hypotheses_and_refuted_statements(visit):
    assert verdict(visit, "eq-t-def", r"s(x) = \frac{e^x}{e^x + 1}")[0] == "holds"
    state, text = verdict(visit, "eq-t-def", r"s(x) = \frac{1}{1 + e^{x}}")
    assert state == "fails" and "eq-t-slope" in text
    state, text = verdict(visit, "eq-t-mean", r"a^2 + b^2 \ge 2 a b")
    assert state == "searched" and "z3" in text
    assert verdict(visit, "eq-t-mean", r"a^2 + b^2 \ge 3 a b")[0] == "fails"
    assert verdict(visit, "eq-t-wrong", "(a + b)^3 = a^3 + b^3")[0] == "refuted"
    assert verdict(visit, "eq-t-set", r"a, b, x \in \mathbb R, \quad t \in \mathbb R")[0] == "fails"


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
