"""Prints the book as a tagged PDF with bookmarks: python book/pdf.py

Sphinx makes one page of all chapters, Chromium prints it. An equation wider than the paper is set smaller, so that
nothing is cut; the table and the graph of all statements, which are to be sorted and moved, stay on the screen.
Writes `_build/spaces.pdf`; exits with 1 where there is no browser, or an equation or a figure is missing.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, PDF = ROOT / "_build" / "single", ROOT / "_build" / "spaces.pdf"
MARGIN = {"top": "16mm", "bottom": "16mm", "left": "17mm", "right": "17mm"}
FOOTER = '<div style="font-size:8px;width:100%;text-align:center"><span class="pageNumber"></span></div>'
TEXT_WIDTH = round((210 - 34) / 25.4 * 96)
READY = """async () => {
  await MathJax.startup.promise;
  document.querySelectorAll('.graph-cards').forEach(cards => cards.closest('section').remove());
  document.querySelectorAll('#all-statements, .graph, .graph-fold').forEach(part => part.remove());
  document.querySelectorAll('details').forEach(d => { if (d.closest('.tag_solution')) d.open = true; });
  for (const box of document.querySelectorAll('div.math'))
    if (box.scrollWidth > box.clientWidth)
      box.style.fontSize = Math.floor(95 * box.clientWidth / box.scrollWidth) + '%';
  const wide = [...document.querySelectorAll('div.math')].filter(b => b.scrollWidth > b.clientWidth + 1);
  return {
    equations: document.querySelectorAll('div.math mjx-container').length,
    wide: wide.map(b => b.id),
    failed: document.querySelectorAll('mjx-merror, div.math:not(:has(mjx-container))').length,
    figures: document.querySelectorAll('.cell_output svg').length,
  };
}"""


def build() -> None:
    """The single page."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "singlehtml", "-t", "single", "-c", str(ROOT / "book")]
    subprocess.run([*command, str(ROOT / "chapters"), str(PAGE)], check=True)


def print_page() -> dict:
    """Print the single page to `PDF`; returns what was found on it."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no chromium or google-chrome on the PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": TEXT_WIDTH, "height": 1000})
        page.emulate_media(media="print", color_scheme="light")
        page.set_default_timeout(300_000)
        page.goto(f"{PAGE.as_uri()}/index.html")
        found = page.evaluate(READY)
        page.pdf(
            path=PDF,
            format="A4",
            margin=MARGIN,
            tagged=True,
            outline=True,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
        )
        browser.close()
    return found


def main() -> int:
    build()
    found = print_page()
    size = PDF.stat().st_size / 1e6
    print(f"{PDF.relative_to(ROOT)}: {size:.1f} MB, {found['equations']} equations, {found['figures']} figures")
    if found["failed"] or found["wide"] or not found["equations"]:
        print(f"equations not set: {found['failed']}; wider than the page: {', '.join(found['wide'])}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
