// The table of all statements: sorted by a click on a heading, filtered by the form above it; formulas are set as they come into view.
// Without this script the table is complete, in the order of the book.
(function () {
  "use strict";
  const host = document.getElementById("statements");
  if (!host) return;
  const form = host.querySelector("form"), status = form.querySelector("[role=status]");
  const table = host.querySelector("table"), body = table.tBodies[0], rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  rows.forEach((row, place) => { row.dataset.place = place; });

  function filter() {
    const wanted = Object.fromEntries(new FormData(form));
    const words = wanted.words.trim().toLowerCase();
    delete wanted.words;
    let shown = 0;
    rows.forEach(function (row) {
      row.hidden = !Object.entries(wanted).every(([k, v]) => !v || row.dataset[k] === v) || !texts.get(row).includes(words);
      shown += !row.hidden;
    });
    status.textContent = shown + " of " + rows.length + " statements";
  }

  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent;
  };
  const order = new Intl.Collator("en", { numeric: true });

  function sort(column) {
    const head = heads[column], down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sorted = [...rows].sort((a, b) => (down ? -1 : 1) * order.compare(key(a, column), key(b, column)) || a.dataset.place - b.dataset.place);
    body.append(...sorted);
  }

  heads.forEach(function (head, column) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  form.hidden = false;
  filter();

  const watch = new IntersectionObserver(function (seen) {
    const formulas = seen.filter((entry) => entry.isIntersecting).map((entry) => entry.target);
    if (!formulas.length || !window.MathJax || !MathJax.startup) return;
    formulas.forEach(function (formula) {
      watch.unobserve(formula);
      formula.classList.remove("tex2jax_ignore");
      formula.classList.add("math");
    });
    MathJax.startup.promise = MathJax.startup.promise.then(() => MathJax.typesetPromise(formulas));
  }, { rootMargin: "300px" });
  host.querySelectorAll(".tex-later").forEach((formula) => watch.observe(formula));
})();
