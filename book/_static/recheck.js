// "Try to break it": the reader edits the LaTeX of a checked statement, and the engine that checked it runs here again.
// Python comes with the book (recheck/*.js) and is loaded when it is first asked for; nothing is sent anywhere.
(function () {
  "use strict";
  const LIMIT = 60;
  const me = document.currentScript;
  const folder = new URL("recheck/", me.src).href;
  const packs = {};
  let worker = null, ready = false, busy = null, boxes = 0, typesetting = Promise.resolve();
  window.spacesRecheck = { take: function (files) { Object.assign(packs, files); } };

  document.addEventListener("DOMContentLoaded", function () {
    const data = document.getElementById("recheck-statements");
    if (!data) return;
    const { chapter, megabytes, statements } = JSON.parse(data.textContent);
    for (const [label, statement] of Object.entries(statements)) {
      const panel = document.querySelector('details.evidence[data-label="' + CSS.escape(label) + '"]');
      if (panel) panel.querySelector("summary").after(offer(label, statement, chapter, megabytes));
    }
  });

  // --- the page's side of it -------------------------------------------------------------------------------------
  function make(tag, attributes, ...inside) {
    const node = document.createElement(tag);
    for (const [k, v] of Object.entries(attributes || {})) node.setAttribute(k, v);
    node.append(...inside);
    return node;
  }

  function button(text, action, attributes) {
    const node = make("button", { type: "button", ...attributes }, text);
    node.addEventListener("click", action);
    return node;
  }

  function offer(label, statement, chapter, megabytes) {
    const host = make("div", { class: "recheck" });
    host.append(button("Try to break it", function () { host.replaceChildren(...editor(label, statement, chapter, megabytes)); host.querySelector("textarea").focus(); }));
    return host;
  }

  function editor(label, statement, chapter, megabytes) {
    const id = "recheck-" + ++boxes;
    const original = statement.latex.split("\n").map((line) => line.trim()).join("\n");
    const box = make("textarea", { id, spellcheck: "false", autocapitalize: "off", autocomplete: "off", "aria-describedby": id + "-note" });
    const preview = make("div", { class: "recheck-preview", "aria-hidden": "true" });
    const answer = make("div", { class: "recheck-answer", role: "status", "aria-live": "polite" });
    const note = make("p", { class: "recheck-note", id: id + "-note" }, intent(statement, megabytes));
    const check = button("Re-check", () => ask(false), { class: "recheck-run", "aria-keyshortcuts": "Control+Enter" });
    const typo = button("Make a typo", misprint), back = button("Undo all", () => write(original));
    const stop = button("Stop", () => halt("Stopped."), { hidden: "" });
    let turn = 0, timer = 0, drawn = Promise.resolve();
    if (!statement.typos.length) typo.hidden = true;

    function write(text) {
      box.value = text;
      box.rows = Math.max(2, text.split("\n").length, Math.ceil(text.length / 60));
      answer.replaceChildren();
      draw();
    }
    function misprint() { write(statement.typos[turn++ % statement.typos.length]); }
    function draw() {
      const math = make("div", { class: "math notranslate nohighlight" }, "\\[" + box.value + "\\]");
      drawn = drawn.then(function () { preview.replaceChildren(math); return typeset(preview); });
    }
    function ask(teeth) {
      if (busy) { answer.replaceChildren(paragraph("Another check is still running.")); return; }
      check.disabled = true;
      delete answer.dataset.state;
      stop.hidden = false;
      answer.replaceChildren(make("p", {}, ready ? "Checking …" : "Loading Python (" + megabytes + " MB, from this book) …"));
      const question = { label, latex: box.value, only: statement.only, teeth };
      run(chapter, question, (text) => answer.replaceChildren(make("p", {}, text)))
        .then((found) => show(found, question), (error) => answer.replaceChildren(make("p", {}, error.message)))
        .finally(function () { check.disabled = false; stop.hidden = true; typeset(answer); });
    }
    function show(found, question) {
      answer.replaceChildren(...verdict(found, question, statement));
      answer.dataset.state = found.state;
      if (found.state === "holds" && !found.typos && statement.kind !== "definition") answer.append(button("Now make typos in it", () => ask(true)));
    }
    box.addEventListener("input", function () { clearTimeout(timer); timer = setTimeout(draw, 250); });
    box.addEventListener("keydown", function (event) {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(false); }
    });
    write(original);
    return [make("label", { for: id }, "The equation in LaTeX"), box, preview, make("div", { class: "recheck-buttons" }, check, typo, back, stop), answer, note];
  }

  function intent(statement, megabytes) {
    const what = statement.kind === "refuted"
      ? "Edit the published statement: the counterexample is tried on your version."
      : statement.kind === "definition"
        ? "Edit the definition: the statements that rest on it are checked again with yours."
        : "Edit the equation: the check that the book ran is run on your version.";
    const z3 = /z3/.test(statement.method) ? " The book proves this with z3, which does not run here: your version is only tried at exact random points and at the book's spot values." : "";
    return what + z3 + " The first time loads Python and SymPy from this book (" + megabytes + " MB); nothing leaves this page.";
  }

  function tex(source) { return make("span", { class: "math notranslate nohighlight" }, "\\(" + source + "\\)"); }

  function paragraph(...inside) { return make("p", {}, ...inside); }

  function number(label) {
    const target = document.getElementById("equation-" + label);
    const text = target && target.querySelector(".eqno") ? target.querySelector(".eqno").textContent.replace(/[^\d.()]/g, "") : label;
    return make("a", { href: "#equation-" + label }, text);
  }

  function verdict(found, question, statement) {
    const other = found.label !== question.label;
    const where = other ? ["With this definition, ", number(found.label)] : ["It"];
    const out = [];
    const head = (mark, ...inside) => out.push(make("p", { class: "recheck-verdict" }, mark + " ", ...inside));
    if (found.state === "holds") {
      if (statement.kind === "definition") head("✓", "With this definition, what rests on it still holds: ", ...listed(statement.only), ".");
      else head("✓", "It holds: " + found.message + ".");
    } else if (found.state === "searched") head("✓", ...where, " was not refuted at exact random points or at the book's spot values. z3, which proves it in the book, does not run here.");
    else if (found.state === "refuted") head("✗", "It is false", ...at(found), ", as the published statement is:");
    else if (found.state === "survives") head("✓", "It is true", ...at(found), ", where the published statement fails. That is no proof:");
    else if (found.state === "fails" && found.point) head("✗", ...where, " fails", ...at(found), ":");
    else if (found.state === "fails") head("✗", ...where, " is rejected: " + found.message + ".");
    else if (found.state === "unproved") head("?", ...where, " has no counterexample among the points tried, and no proof: " + found.message + ".");
    else head("✗", "Not readable: " + found.message + ".");
    if (found.point) {
      const which = found.relation === found.read ? [] : [tex(found.relation), " has "];
      out.push(paragraph(...which, "left side ", tex(found.left), ", right side ", tex(found.right), "."));
    }
    if (found.typos) out.push(typos(found.typos));
    if (found.read && !other) out.push(make("p", { class: "recheck-read" }, "Read as ", tex(found.read)));
    return out;
  }

  function at(found) {
    return found.point.flatMap(([name, value], k) => [k ? ", " : " at ", tex(name + " = " + value)]);
  }

  function listed(labels) { return labels.flatMap((label, k) => (k ? [", ", number(label)] : [number(label)])); }

  function typos(t) {
    const same = t.equivalent ? ", " + t.equivalent + " more say the same" : "";
    const passed = t.made - t.equivalent - t.caught;
    const weaker = passed ? " " + passed + " pass the same check: it says less than the book's equation." : "";
    return paragraph(t.caught + " of " + (t.made - t.equivalent) + " typos in your version are caught" + same + "." + weaker);
  }

  function typeset(node) {
    const jax = window.MathJax;
    if (!jax || !jax.typesetPromise) return Promise.resolve();
    typesetting = typesetting.then(() => jax.startup.promise).then(() => jax.typesetPromise([node])).catch(function () {});
    return typesetting;
  }

  // --- Python's side ----------------------------------------------------------------------------------------------
  function load(name) {
    return new Promise(function (resolve, reject) {
      const script = make("script", { src: folder + name });
      script.onload = function () { script.remove(); resolve(); };
      script.onerror = function () { script.remove(); reject(new Error("Could not load " + name + " from the book's folder.")); };
      document.head.append(script);
    });
  }

  // A module worker may not come from a blob on a page opened from a folder, nor (everywhere) from a data: address on a site.
  function address(code) {
    if (location.protocol === "file:") return "data:text/javascript," + encodeURIComponent(code);
    return URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  }

  async function run(chapter, question, progress) {
    busy = {};
    const mine = busy;
    try {
      const names = [["page:" + chapter, "pages/" + chapter + ".js"], ["engine.zip", "engine.js"], ["pyodide.mjs", "python.js"], ["packages.zip", "sympy.js"]];
      for (const [key, file] of names) if (!(key in packs)) await load(file);
      if (busy !== mine) throw new Error("Stopped.");
      return await new Promise(function (resolve, reject) {
        mine.reject = reject;
        const message = { question: { page: packs["page:" + chapter], ...question } };
        if (!worker) {
          worker = new Worker(address(packs["worker.js"]), { type: "module" });
          message.files = packs;
        }
        worker.onmessage = function ({ data }) {
          if (data.progress) {
            progress(data.progress);
            if (data.progress.startsWith("Checking")) {
              ready = true;
              mine.timer = setTimeout(() => halt("Stopped after " + LIMIT + " seconds without an answer: SymPy neither proved nor refuted it in that time."), LIMIT * 1000);
            }
          } else if (data.answer) resolve(data.answer);
          else if (ready) reject(new Error("The check broke off: " + data.broken));
          else halt("Python could not be started: " + data.broken);
        };
        worker.onerror = (event) => { halt("Python could not be started: " + (event.message || "this browser does not run it") + "."); };
        worker.postMessage(message);
      });
    } finally {
      clearTimeout(mine.timer);
      if (busy === mine) busy = null;
    }
  }

  function halt(text) {
    if (worker) worker.terminate();
    worker = null;
    ready = false;
    const stopped = busy;
    busy = null;
    if (stopped && stopped.reject) stopped.reject(new Error(text));
  }
})();
