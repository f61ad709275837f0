// What readers with a keyboard or a screen reader need and Sphinx leaves out: scrolling boxes that can be reached,
// a level for each heading, and the roles of a list of references. The formulas of a badge are set when it is opened.
document.addEventListener("DOMContentLoaded", function () {
  document.querySelectorAll("pre").forEach(function (box) { box.tabIndex = 0; });
  document.querySelectorAll(".citation-list > .citation").forEach(function (item) { item.setAttribute("role", "listitem"); });
  document.querySelectorAll('p.caption[role="heading"]').forEach(function (title) { title.setAttribute("aria-level", "2"); });
  document.querySelectorAll("details.evidence").forEach(function (panel) {
    panel.addEventListener("toggle", function () {
      var facts = panel.querySelector("dl.tex2jax_ignore");
      if (facts) facts.classList.remove("tex2jax_ignore");
      if (facts && window.MathJax && MathJax.typesetPromise) {
        MathJax.startup.promise = MathJax.startup.promise.then(function () { return MathJax.typesetPromise([facts]); }).then(reach);
      }
    });
  });
  function reach() {
    document.querySelectorAll("div.math, mjx-container, .evidence dd, .table-wrapper, .cell_output").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
  }
  if (window.MathJax && MathJax.startup && MathJax.startup.promise) MathJax.startup.promise.then(reach);
  reach();
  addEventListener("resize", reach);
});
