// Copy buttons, and a page that must not be repeated by a reload: no inline script is allowed by the page's policy.
"use strict";

function copied(button) {
  const before = button.textContent;
  button.textContent = button.dataset.done;
  button.disabled = true;
  setTimeout(() => {
    button.textContent = before;
    button.disabled = false;
  }, 1600);
}

function selectText(element) {
  const range = document.createRange();
  range.selectNodeContents(element);
  const selection = window.getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without https there is no clipboard: select the text, and try the old way.
    selectText(source);
    if (!document.execCommand("copy")) return;
  }
  copied(button);
});

document.addEventListener("DOMContentLoaded", () => {
  const page = document.querySelector("[data-reload-to]");
  if (page) history.replaceState(null, "", page.dataset.reloadTo);
});
