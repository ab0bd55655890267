// The form that takes accounts over from pasted text: what is no JSON is said before it is sent, so that the text stays
// where it is. The answer's page would not have it: it holds tokens, and no page ever repeats one.
"use strict";

const pasted = document.querySelector("textarea[data-json]");

function judge() {
  let fault = "";
  try {
    if (pasted.value.trim()) JSON.parse(pasted.value);
  } catch {
    fault = "This is not JSON.";
  }
  pasted.setCustomValidity(fault);
}

if (pasted) pasted.addEventListener("input", judge);
