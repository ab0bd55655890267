// The list of requests: what has just ended comes in on top while "live" is on. A socket names the calls, the page asks
// for their lines with the filters of its own address; without a socket it asks for the newest every few seconds.
(() => {
  "use strict";

  const page = document.getElementById("calls");
  if (!page) return;

  const READ_PAUSE = 700; // milliseconds in which the names of new calls are gathered
  const POLL_PAUSE = 3000; // without a socket
  const RECONNECT_PAUSE = 5000;
  const MOST_ASKED = 50; // calls of one reading
  const MOST_LINES = 300; // on the page

  const part = (id) => document.getElementById(`calls-${id}`);
  const lines = part("rows");
  const button = part("live");

  // A filter that is not used is no part of the address.
  page.querySelector("form").addEventListener("submit", (event) => {
    for (const field of event.target.elements) {
      if (field.name && !field.value) field.disabled = true;
    }
  });
  window.addEventListener("pageshow", () => {
    for (const field of page.querySelector("form").elements) field.disabled = false;
  });

  if (!button) return; // an older page

  let isLive = false;
  let socket = null;
  let timer = null;
  let reading = false;
  let skipped = 0;
  const waiting = new Set();

  function say(state, text) {
    part("state").className = `tr-live tr-live-${state}`;
    part("state").textContent = text;
  }

  function add(text) {
    const made = document.createElement("template");
    made.innerHTML = `<table><tbody>${text}</tbody></table>`; // our own page's lines: the server has escaped what is in them
    const fresh = [...made.content.querySelectorAll("tr")].filter(
      (line) => !lines.querySelector(`tr[data-id="${CSS.escape(line.dataset.id)}"]`),
    );
    for (const line of fresh) line.classList.add("tr-new");
    lines.prepend(...fresh);
    while (lines.children.length > MOST_LINES) lines.lastElementChild.remove();
    if (fresh.length) part("none")?.remove();
  }

  async function read() {
    timer = null;
    if (!isLive || reading) return;
    if (document.hidden) return; // `visibilitychange` goes on
    const named = [...waiting].slice(-MOST_ASKED);
    const hasSocket = socket?.readyState === WebSocket.OPEN;
    if (hasSocket && !named.length) return;
    skipped += waiting.size - named.length;
    waiting.clear();
    reading = true;
    try {
      const asked = new URLSearchParams(page.dataset.query);
      if (hasSocket) for (const id of named) asked.append("id", id);
      const answer = await fetch(`${page.dataset.tail}?${asked}`, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      add(await answer.text());
      say("on", skipped ? `live, ${skipped.toLocaleString("en")} not shown` : "live");
    } catch {
      say("off", "not updated");
    } finally {
      reading = false;
    }
    plan(socket?.readyState === WebSocket.OPEN ? READ_PAUSE : POLL_PAUSE);
  }

  function plan(pause) {
    const hasSocket = socket?.readyState === WebSocket.OPEN;
    if (!isLive || timer !== null || (hasSocket && !waiting.size)) return;
    timer = setTimeout(read, pause);
  }

  function connect() {
    const address = new URL(page.dataset.socket, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const made = (socket = new WebSocket(address));
    made.addEventListener("message", (event) => {
      const news = JSON.parse(event.data);
      for (const id of news.ids || []) waiting.add(id);
      skipped += Math.max(0, news.count - (news.ids || []).length);
      plan(READ_PAUSE);
    });
    made.addEventListener("close", () => {
      if (socket !== made) return;
      socket = null;
      plan(POLL_PAUSE);
      setTimeout(() => isLive && !socket && connect(), RECONNECT_PAUSE);
    });
  }

  function turn(on) {
    isLive = on;
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Pause" : "Go live";
    say(on ? "on" : "off", on ? "live" : "paused");
    if (on) {
      connect();
      plan(POLL_PAUSE);
      return;
    }
    clearTimeout(timer);
    timer = null;
    skipped = 0;
    waiting.clear();
    socket?.close();
    socket = null;
  }

  button.addEventListener("click", () => turn(!isLive));
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) plan(0);
  });
})();
