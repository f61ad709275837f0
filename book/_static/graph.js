// The graphs of what rests on what: pointing at a statement shows what it rests on and what rests on it, a click keeps it and says
// what it is, a second click goes to the equation. On the page of all graphs, each is small until it is opened.
(function () {
  "use strict";
  function make(tag, attributes, ...inside) {
    const node = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) node.setAttribute(k, v);
    node.append(...inside);
    return node;
  }

  document.querySelectorAll(".graph").forEach(function (graph) {
    const svg = graph.querySelector("svg"), facts = graph.querySelector(".graph-facts");
    const nodes = new Map([...svg.querySelectorAll("a")].map((a) => [a.dataset.statement, a]));
    const paths = [...svg.querySelectorAll("path")];
    let kept = null;

    function reach(label, from, to) {
      const seen = new Set([label]);
      for (const at of seen) paths.forEach((path) => { if (path.dataset[from] === at) seen.add(path.dataset[to]); });
      return seen;
    }

    function light(label) {
      svg.classList.toggle("lit", Boolean(label));
      const below = label ? reach(label, "to", "from") : new Set(), above = label ? reach(label, "from", "to") : new Set();
      nodes.forEach(function (node, name) {
        node.classList.toggle("on", below.has(name) || above.has(name));
        node.classList.toggle("chosen", name === label);
      });
      paths.forEach(function ({ classList, dataset }) {
        classList.toggle("on", (below.has(dataset.from) && below.has(dataset.to)) || (above.has(dataset.from) && above.has(dataset.to)));
      });
    }

    function steps(label, from, to) {
      return paths.filter((path) => path.dataset[from] === label).map(function (path) {
        const name = path.dataset[to], step = make("button", { type: "button" }, nodes.get(name).querySelector("text").textContent);
        step.addEventListener("click", () => keep(name));
        return step;
      });
    }

    async function keep(label) {
      kept = label;
      light(label);
      if (!label) { facts.replaceChildren(); return; }
      const node = nodes.get(label), said = node.getAttribute("aria-label");
      const math = make("div", { class: "math notranslate nohighlight" });
      const rows = [make("p", {}, make("a", { href: node.getAttribute("href") }, "Equation " + said)), math];
      for (const [words, found] of [["Rests on ", steps(label, "to", "from")], ["Used by ", steps(label, "from", "to")]]) {
        if (found.length) rows.push(make("p", {}, words, ...found));
      }
      facts.replaceChildren(...rows);
      const equation = await window.spacesEquation(node);
      if (kept !== label || !equation) return;
      math.textContent = "\\[" + equation.tex + "\\]";
      if (window.MathJax && MathJax.startup) {
        MathJax.startup.promise = MathJax.startup.promise.then(() => MathJax.typesetPromise([math]));
      }
    }

    const statement = (event) => event.target.closest && event.target.closest("a[data-statement]");
    svg.addEventListener("pointerover", function (event) { const node = statement(event); light(node ? node.dataset.statement : kept); });
    svg.addEventListener("pointerleave", () => light(kept));
    svg.addEventListener("focusin", (event) => light(statement(event).dataset.statement));
    svg.addEventListener("focusout", () => light(kept));
    svg.addEventListener("click", function (event) {
      const node = statement(event);
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (!node) keep(null);
      else if (kept !== node.dataset.statement) { event.preventDefault(); keep(node.dataset.statement); }
    });
    graph.addEventListener("keydown", (event) => { if (event.key === "Escape") keep(null); });

    const card = graph.closest(".graph-card");
    if (!card) return;
    const button = make("button", { type: "button", class: "graph-open" });
    function size(open) {
      card.classList.toggle("small", !open);
      svg.toggleAttribute("inert", !open);
      button.setAttribute("aria-expanded", String(open));
      button.textContent = open ? "Make small" : "Explore";
      button.setAttribute("aria-label", button.textContent + ": " + card.querySelector("h2").textContent);
      if (!open) keep(null);
    }
    button.addEventListener("click", function () { size(card.classList.contains("small")); card.scrollIntoView({ block: "nearest" }); });
    card.querySelector("p").append(" ", button);
    graph.querySelector(".graph-scroll").addEventListener("click", function () { if (card.classList.contains("small")) size(true); });
    size(false);
  });
})();
