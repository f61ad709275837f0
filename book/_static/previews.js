// A reference to an equation shows it: on hover, on focus, and on the first tap where there is no pointer (the second follows it).
// The equations of other chapters come from equations.js, which is loaded when the first of them is asked for.
(function () {
  "use strict";
  const WAIT = 150, GAP = 8;
  const me = document.currentScript;
  const statics = new URL(".", me.src).href, root = new URL("..", statics).href;
  const box = document.createElement("div");
  let shown = null, timer = 0, asked = null, touched = null, dismissed = null;
  box.className = "preview";
  box.id = "equation-preview";
  box.setAttribute("role", "tooltip");
  box.hidden = true;

  function reference(node) {
    const link = node instanceof Element && node.closest('a[href*="#equation-"]');
    return link && !link.classList.contains("headerlink") && !box.contains(link) ? link : null;
  }

  function equations() {
    if (!asked) {
      asked = new Promise(function (done, failed) {
        const script = document.createElement("script");
        script.src = statics + "equations.js";
        script.onload = () => done(window.spacesEquations);
        script.onerror = failed;
        document.head.append(script);
      });
    }
    return asked;
  }

  async function equationOf(link) {
    const target = new URL(link.getAttribute("href"), location.href);
    return (await equations())[decodeURIComponent(target.href.slice(root.length))];
  }

  window.spacesEquation = equationOf;

  function schedule(link, wait) {
    clearTimeout(timer);
    timer = setTimeout(() => (link ? show(link) : hide()), wait);
  }

  async function show(link) {
    if (shown === link || dismissed === link) return;
    const found = await equationOf(link);
    if (!found || !(link.matches(":hover, :focus") || touched === link)) return;
    hide();
    shown = link;
    const head = document.createElement("p"), math = document.createElement("div");
    const here = decodeURIComponent(location.pathname).endsWith(new URL(link.getAttribute("href"), location.href).pathname);
    head.textContent = (here ? "" : found.chapter + " ") + "(" + found.number + ") · ";
    found.kinds.forEach(function (kind, i) {
      const word = document.createElement("span");
      word.className = "evidence-mark evidence-" + kind;
      word.textContent = kind;
      head.append(i ? ", " : "", word);
    });
    math.className = "math notranslate nohighlight";
    math.textContent = "\\[" + found.tex + "\\]";
    box.replaceChildren(head, math);
    box.hidden = false;
    link.setAttribute("aria-describedby", box.id);
    place(link);
    if (!window.MathJax || !MathJax.startup) return;
    MathJax.startup.promise = MathJax.startup.promise.then(() => MathJax.typesetPromise([math]));
    await MathJax.startup.promise;
    if (shown === link) place(link);
  }

  function place(link) {
    const at = link.getBoundingClientRect(), wide = document.documentElement.clientWidth;
    const { width, height } = box.getBoundingClientRect();
    const above = at.bottom + GAP + height > innerHeight && at.top > height + GAP;
    if (link.closest("svg") && at.right + GAP + width < wide) {
      box.style.left = scrollX + at.right + GAP + "px";
      box.style.top = scrollY + Math.max(GAP, Math.min(at.top, innerHeight - height - GAP)) + "px";
      return;
    }
    box.style.left = scrollX + Math.max(GAP, Math.min(at.left, wide - width - GAP)) + "px";
    box.style.top = scrollY + (above ? at.top - height - GAP : at.bottom + GAP) + "px";
  }

  function hide() {
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    box.hidden = true;
    shown = touched = null;
  }

  document.addEventListener("pointerover", function (event) {
    if (event.pointerType === "touch") return;
    const link = reference(event.target);
    if (link) schedule(link, WAIT);
    else if (box.contains(event.target)) clearTimeout(timer);
    else { dismissed = null; if (shown || timer) schedule(null, 2 * WAIT); }
  });
  document.addEventListener("focusin", (event) => { const link = reference(event.target); if (link && touched !== link) schedule(link, WAIT); });
  document.addEventListener("focusout", (event) => { if (reference(event.target)) { dismissed = null; schedule(null, WAIT); } });
  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape" && shown) { dismissed = shown; hide(); }
  });
  document.addEventListener("click", function (event) {
    const link = reference(event.target);
    if (event.pointerType === "touch" && link && touched !== link && !link.dataset.statement) {
      event.preventDefault();
      clearTimeout(timer);
      touched = link;
      show(link);
    } else if (!box.contains(event.target)) {
      clearTimeout(timer);
      dismissed = link;
      hide();
    }
  });
  document.body.append(box);
})();
