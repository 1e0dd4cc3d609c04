// Components of GOV.UK Frontend, and what a page swapped in by htmx needs. Without this file every page still works.
import { initAll } from "/static/vendor/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();

// A filter that is chosen is a filter that is meant: no button to press. The button stays for those without a script.
document.querySelectorAll("form[data-submit-on-change]").forEach((form) => {
  form.addEventListener("change", () => form.requestSubmit());
});

// On a phone what can be chosen is folded away, so that the leads come first.
if (window.matchMedia("(max-width: 48em)").matches) {
  document.querySelectorAll("details.desk-fold").forEach((fold) => fold.removeAttribute("open"));
}

if (document.querySelector("[data-label-form]")) import("/static/labels.js");
