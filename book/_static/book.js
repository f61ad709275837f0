// What readers with a keyboard or a screen reader need and Sphinx leaves out: scrolling boxes that can be reached,
// a name for each folded cell, and the roles of a list of references.
document.addEventListener("DOMContentLoaded", function () {
  document.querySelectorAll("pre").forEach(function (box) { box.tabIndex = 0; });
  document.querySelectorAll(".citation-list > .citation").forEach(function (item) { item.setAttribute("role", "listitem"); });
  document.querySelectorAll('p.caption[role="heading"]').forEach(function (title) { title.setAttribute("aria-level", "2"); });
  document.querySelectorAll("details.evidence").forEach(function (panel) {
    panel.addEventListener("toggle", reach);
  });
  function reach() {
    document.querySelectorAll("div.math, .evidence dd, .table-wrapper").forEach(function (box) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    });
  }
  if (window.MathJax && MathJax.startup && MathJax.startup.promise) MathJax.startup.promise.then(reach);
  reach();
  addEventListener("resize", reach);
});
