// What a browser cannot do with passkeys is said on the page: no inline script is allowed by the page's policy.
"use strict";

function say(text) {
  for (const place of document.querySelectorAll("[data-passkey-fault]")) {
    place.textContent = text;
    place.hidden = false;
  }
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const name = event.detail.exception && event.detail.exception.name;
  if (name === "InvalidStateError") say("This device already has a passkey for you.");
  else if (name === "SecurityError") say("Passkeys need https and a host name, or localhost: a bare IP address cannot have any.");
  else say("The device did not finish. Try again, or use another way.");
});

document.addEventListener("DOMContentLoaded", () => {
  if (window.PublicKeyCredential) return;
  for (const part of document.querySelectorAll("[data-needs-passkeys]")) part.hidden = true;
  if (document.querySelector("[data-passkey-fault]")) say("This browser offers no passkeys here: they need https, or localhost.");
});
