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

// A passkey belongs to a host name: at a bare IP address the browser offers them, and then refuses.
const BARE = /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/;

function obstacle() {
  const { hostname, port, protocol, pathname } = window.location;
  if (BARE.test(hostname)) {
    const here = hostname === "127.0.0.1" || hostname === "[::1]";
    const instead = here ? `: open ${protocol}//localhost${port ? `:${port}` : ""}${pathname}` : "";
    return `Passkeys need a host name, and this address has none${instead}.`;
  }
  return window.PublicKeyCredential ? "" : "This browser offers no passkeys here: they need https, or localhost.";
}

document.addEventListener("DOMContentLoaded", () => {
  const said = obstacle();
  if (!said) return;
  for (const part of document.querySelectorAll("[data-needs-passkeys]")) part.hidden = true;
  say(said);
});
