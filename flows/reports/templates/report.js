// On paper everything is open. (Browsers that know the style rule for it open it without this script too.)
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
// Filters over the list of leads. Without this script the page shows every lead, and no form.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const status = document.getElementById("filter-status");
  const leads = [...document.querySelectorAll("[data-lead]")];
  const total = leads.filter((lead) => lead.tagName === "ARTICLE").length;
  const isShown = (lead) =>
    [...form.elements].every((field) => {
      if (!field.name || !field.value || (field.type === "checkbox" && !field.checked)) return true;
      return ` ${lead.dataset[field.name] || ""} `.includes(` ${field.value} `);
    });
  const apply = () => {
    let shown = 0;
    for (const lead of leads) {
      lead.hidden = !isShown(lead);
      shown += lead.tagName === "ARTICLE" && !lead.hidden;
    }
    status.textContent = shown ? `${shown} of ${total} leads shown.` : "No lead is like this. Choose fewer things, or show all.";
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  apply();
})();
