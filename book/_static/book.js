// What readers with a keyboard or a screen reader need and Sphinx leaves out: scrolling boxes that can be reached,
// a level for each heading, and the roles of a list of references. The formulas of a badge are set when it is opened.
// An equation that is too long is set smaller; where that is not enough its end fades, so that no part of one is taken for the whole.
document.addEventListener("DOMContentLoaded", function () {
  document.querySelectorAll("pre").forEach(function (box) { box.tabIndex = 0; });
  document.querySelectorAll(".citation-list > .citation").forEach(function (item) { item.setAttribute("role", "listitem"); });
  document.querySelectorAll('p.caption[role="heading"]').forEach(function (title) { title.setAttribute("aria-level", "2"); });
  document.querySelectorAll("details.evidence").forEach(function (panel) {
    panel.addEventListener("toggle", function () {
      var facts = panel.querySelector("dl.tex2jax_ignore");
      if (facts) facts.classList.remove("tex2jax_ignore");
      if (facts && window.MathJax && MathJax.typesetPromise) {
        MathJax.startup.promise = MathJax.startup.promise.then(function () { return MathJax.typesetPromise([facts]); }).then(settle);
      }
    });
  });
  const SMALLEST = 0.7;
  function reach() {
    document.querySelectorAll("div.math, mjx-container, .evidence dd, .table-wrapper, .cell_output").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
  }
  function fit() {
    const boxes = [...document.querySelectorAll("div.math > mjx-container")].filter((box) => box.clientWidth);
    boxes.forEach((box) => box.parentElement.style.removeProperty("--fit"));
    const shares = boxes.map((box) => box.clientWidth / box.scrollWidth);
    boxes.forEach(function (box, k) {
      if (shares[k] < 1) box.parentElement.style.setProperty("--fit", Math.max(SMALLEST, Math.floor(98 * shares[k]) / 100));
    });
    boxes.forEach(function (box) {
      if (!box.onscroll) box.onscroll = () => fade(box);
    });
    const long = boxes.map((box) => box.scrollWidth > box.clientWidth + 1);
    boxes.forEach((box, k) => box.parentElement.classList.toggle("long", long[k]));
    boxes.filter((_, k) => long[k]).forEach(fade);
  }
  function fade(box) {
    const end = box.scrollWidth - box.clientWidth;
    box.classList.toggle("more-left", box.parentElement.classList.contains("long") && box.scrollLeft > 1);
    box.classList.toggle("more-right", box.parentElement.classList.contains("long") && box.scrollLeft < end - 1);
  }
  let waiting = false;
  function settle() {
    if (waiting) return;
    waiting = true;
    setTimeout(function () { waiting = false; fit(); reach(); }, 50);
  }
  if (window.MathJax && MathJax.startup && MathJax.startup.promise) MathJax.startup.promise.then(settle);
  reach();
  addEventListener("resize", settle);
  document.addEventListener("toggle", (event) => { if (event.target.querySelector("div.math")) settle(); }, true);
});
