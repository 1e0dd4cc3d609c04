// Labelling: words selected in the message become evidence; keys tick signals where somebody switched that on.
const form = document.querySelector("[data-label-form]");
const message = form.querySelector("[data-label-text]");
const list = form.querySelector("[data-marks]");
const switchBox = form.querySelector("#shortcuts");

// Where in the message the selected words begin, in UTF-16 units, and which they are.
function selected() {
  const selection = window.getSelection();
  if (!selection.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  if (!message.contains(range.startContainer) || !message.contains(range.endContainer)) return null;
  const before = document.createRange();
  before.selectNodeContents(message);
  before.setEnd(range.startContainer, range.startOffset);
  const words = range.toString();
  return words.trim() ? { start: before.toString().length, words } : null;
}

function show(value) {
  const [signal, , ...words] = value.split(" ");
  const item = list.querySelector("[data-mark-value]:not([data-shown])") ?? list.appendChild(document.createElement("li"));
  item.dataset.shown = "yes";
  item.append(`${signal}: “${words.join(" ").trim()}” `);
  const input = Object.assign(document.createElement("input"), { type: "hidden", name: "mark", value });
  const remove = Object.assign(document.createElement("button"), { type: "button", className: "desk-mark", textContent: "take away" });
  remove.setAttribute("aria-label", `Take away what is marked as ${signal}`);
  remove.addEventListener("click", () => item.remove());
  item.append(input, remove);
}

function mark(signal) {
  const found = selected();
  if (!found) return false;
  show(`${signal} ${found.start} ${found.words}`);
  form.querySelector(`#s-${signal}`).checked = true;
  window.getSelection().removeAllRanges();
  return true;
}

list.querySelectorAll("[data-mark-value]").forEach((item) => show(item.dataset.markValue));
form.querySelectorAll("[data-mark]").forEach((button) => {
  button.hidden = false;
  // The selection must outlive the press.
  button.addEventListener("mousedown", (event) => event.preventDefault());
  button.addEventListener("click", () => mark(button.dataset.mark));
});
form.querySelector("[data-shortcuts]").hidden = false;
switchBox.checked = localStorage.getItem("label-shortcuts") === "on";
switchBox.addEventListener("change", () => localStorage.setItem("label-shortcuts", switchBox.checked ? "on" : "off"));

function submit(action) {
  form.requestSubmit(form.querySelector(`button[name="action"][value="${action}"]`));
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return submit("save");
  const isTyping = event.target.matches("textarea, input:not([type=checkbox]), select");
  if (!switchBox.checked || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = form.querySelector(`input[name="signals"][data-key="${CSS.escape(event.key)}"]`);
  if (box) {
    if (!mark(box.value)) box.checked = !box.checked;
  } else if (event.key === "s") {
    const sensitive = form.querySelector("#sensitive");
    sensitive.checked = !sensitive.checked;
  } else if (event.key === "n") {
    submit("none");
  } else if (event.key === "l") {
    submit("later");
  } else {
    return;
  }
  event.preventDefault();
});
