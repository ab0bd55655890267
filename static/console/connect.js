// The page of a sign-in under way: asks how far it is and goes on by itself. Without it, a button asks.
"use strict";

const page = document.getElementById("sign-in");

async function look() {
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  let wait = 3;
  try {
    const answer = await fetch(page.dataset.state, {
      method: "POST",
      headers: { accept: "application/json", "x-csrftoken": token ? token.value : "" },
    });
    // Whoever is not signed in any more is sent to the sign-in page, which is no JSON: the page itself says so.
    if (answer.redirected || !answer.ok) return location.reload();
    const said = await answer.json();
    if (said.over) return location.replace(location.pathname);
    wait = said.wait;
  } catch {
    wait = 5; // the network is away: try again
  }
  setTimeout(look, wait * 1000);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-popup]");
  if (!link) return;
  event.preventDefault();
  // A window that a script opened may close itself when it is done (connected.js); who signs people in there gets no
  // hold of this page.
  const opened = window.open("about:blank");
  if (!opened) return location.assign(link.href);
  opened.opener = null;
  opened.location = link.href;
});

if (page) setTimeout(look, Number(page.dataset.wait) * 1000);
