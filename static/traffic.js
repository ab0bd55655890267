// The console's first page: draws the numbers that came with the page, then asks for newer ones.
// A socket says when there is something new; without one the page asks every two seconds. Texts are set as text,
// never as markup: a model's name comes from outside.
(() => {
  "use strict";

  const page = document.getElementById("traffic");
  if (!page) return;

  const BATCH_PAUSE = 1000; // milliseconds between two readings while calls come in
  const IDLE_PAUSE = 15000; // and while nothing happens: the chart still moves on
  const POLL_PAUSE = 2000; // and without a socket
  const RECONNECT_PAUSE = 5000;
  const SVG = "http://www.w3.org/2000/svg";

  let numbers = JSON.parse(document.getElementById("traffic-numbers").textContent);
  let socketOpen = false;
  let nextReading = null;
  let nextAt = Infinity;
  let reading = false;

  const part = (id) => document.getElementById(`traffic-${id}`);

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Words for numbers.

  const whole = new Intl.NumberFormat("en");
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

  const amount = (value) => (value < 10000 ? whole.format(value) : short.format(value));

  function span(milliseconds) {
    if (milliseconds === null) return "–";
    if (milliseconds < 1000) return `${milliseconds} ms`;
    if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(2)} s`;
    return `${Math.floor(milliseconds / 60000)} min ${Math.round((milliseconds % 60000) / 1000)} s`;
  }

  const clock = (at, seconds) => new Date(at).toISOString().slice(11, seconds ? 19 : 16);
  const count = (value) => (value === null ? "–" : whole.format(value));

  // Tiles.

  function tiles() {
    const { counts, first_event: first } = numbers;
    const judged = counts.ok + counts.errors;
    const share = judged ? `${((100 * counts.ok) / judged).toFixed(counts.errors ? 1 : 0)} %` : "–";
    const apart = [
      counts.errors && `${amount(counts.errors)} failed`,
      counts.refused && `${amount(counts.refused)} refused`,
      counts.cancelled && `${amount(counts.cancelled)} cancelled`,
    ].filter(Boolean);
    return [
      ["Requests", amount(counts.requests), "in the last hour"],
      ["Success", share, apart.join(", ") || "nothing failed", counts.errors > 0 && counts.errors * 20 > judged],
      ["Tokens in", amount(counts.input_tokens), "in the last hour"],
      ["Tokens out", amount(counts.output_tokens), "in the last hour"],
      ["First byte", first ? span(first.p50) : "–", first ? `median; p95 ${span(first.p95)}` : "median"],
      // What runs now is known of the whole house only.
      ...(numbers.in_flight === null ? [] : [
        ["In flight", whole.format(numbers.in_flight), numbers.waiting ? `${amount(numbers.waiting)} records waiting` : "right now"],
      ]),
    ];
  }

  function drawTiles() {
    part("tiles").replaceChildren(
      ...tiles().map(([name, value, hint, alarming]) => {
        const tile = element("div", alarming ? "tr-tile tr-tile-alarming" : "tr-tile");
        tile.append(element("dt", "", name), element("dd", "", value), element("p", "", hint));
        return tile;
      }),
    );
  }

  // The chart: one bar a minute, three layers.

  const LAYERS = [
    ["tr-ok", 1],
    ["tr-cancelled", 3],
    ["tr-error", 2],
  ];
  const HEIGHT = 200;
  const EDGE = { left: 44, right: 8, top: 10, bottom: 24 };

  function shape(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function ceiling(value) {
    if (value <= 4) return 4;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 4, 5, 8, 10].map((step) => step * power).find((step) => step >= value);
  }

  function drawChart() {
    const box = part("chart");
    const width = box.clientWidth;
    if (!width) return;
    const { minutes } = numbers;
    const top = ceiling(Math.max(...minutes.map((minute) => minute[1] + minute[2] + minute[3])));
    const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
    const slot = inner.width / minutes.length;
    const y = (value) => EDGE.top + inner.height * (1 - value / top);
    const svg = shape("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img" });
    svg.append(shape("title", {}, "Requests per minute in the last hour"));

    for (let line = 0; line <= 4; line += 1) {
      const value = (top * line) / 4;
      svg.append(shape("line", { class: "tr-grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }));
      if (Number.isInteger(value)) {
        svg.append(shape("text", { class: "tr-axis", x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, amount(value)));
      }
    }
    minutes.forEach((minute, place) => {
      const x = EDGE.left + place * slot;
      if (new Date(minute[0]).getUTCMinutes() % 10 === 0) {
        svg.append(shape("text", { class: "tr-axis", x: x + slot / 2, y: HEIGHT - 6, "text-anchor": "middle" }, clock(minute[0])));
      }
      let base = 0;
      for (const [className, column] of LAYERS) {
        if (!minute[column]) continue;
        const height = Math.max(1.5, y(base) - y(base + minute[column]));
        svg.append(
          shape("rect", { class: className, x: x + slot * 0.12, width: slot * 0.76, y: y(base) - height, height, rx: Math.min(2, slot / 5) }),
        );
        base += minute[column];
      }
      const target = shape("rect", { class: "tr-target", x, width: slot, y: EDGE.top, height: inner.height });
      target.addEventListener("pointerenter", () => showHint(minute, x + slot / 2, width));
      svg.append(target);
    });
    const hint = element("div", "tr-hint");
    hint.hidden = true;
    svg.addEventListener("pointerleave", () => {
      hint.hidden = true;
    });
    box.replaceChildren(svg, hint);
  }

  function showHint(minute, x, width) {
    const hint = part("chart").querySelector(".tr-hint");
    const lines = [
      ["tr-ok", "OK", minute[1]],
      ["tr-error", "error", minute[2]],
      ["tr-cancelled", "cancelled", minute[3]],
    ];
    hint.replaceChildren(
      element("strong", "", `${clock(minute[0])} UTC`),
      ...lines.map(([className, name, value]) => {
        const line = element("div", "tr-key");
        line.append(element("i", className), element("span", "", name), element("b", "", whole.format(value)));
        return line;
      }),
    );
    hint.hidden = false;
    hint.style.left = `${Math.min(Math.max(x, 70), width - 70)}px`;
  }

  // The newest calls.

  const OUTCOMES = { ok: "OK", error: "error", cancelled: "cancelled", refused: "refused" };

  function row(call, isNew) {
    const made = element("tr", isNew ? "tr-new" : "");
    const time = element("td");
    const link = element("a", "tr-more", clock(call.at, true));
    link.href = call.url;
    time.append(link);
    const result = element("td");
    result.append(element("span", `tr-badge tr-badge-${call.outcome}`, `${call.status || ""} ${OUTCOMES[call.outcome]}`.trim()));
    const model = element("td", "tr-name");
    model.append(element("span", "", call.requested || call.model || "–"));
    if (call.model && call.requested && !call.requested.endsWith(call.model)) {
      model.append(element("span", "tr-quiet", ` → ${call.model}`));
    }
    if (call.stream) model.append(element("span", "tr-badge", "stream"));
    if (call.attempts > 1) model.append(element("span", "tr-badge tr-badge-refused", `${call.attempts} attempts`));
    made.append(
      time,
      result,
      model,
      element("td", "", call.provider || "–"),
      element("td", "", call.tenant || "–"),
      element("td", "tr-number", count(call.input_tokens)),
      element("td", "tr-number", count(call.output_tokens)),
      element("td", "tr-number", span(call.first_event_ms)),
      element("td", "tr-number", span(call.duration_ms)),
    );
    return made;
  }

  let shown = null; // addresses of the calls drawn last

  function drawCalls() {
    const before = shown;
    shown = new Set(numbers.calls.map((call) => call.url));
    part("rows").replaceChildren(...numbers.calls.map((call) => row(call, before !== null && !before.has(call.url))));
  }

  function draw() {
    const empty = numbers.calls.length === 0;
    part("welcome").hidden = !numbers.is_new;
    part("welcome").querySelectorAll("li").forEach((step, place) => {
      step.classList.toggle("tr-done", numbers.steps[place] === true);
      step.querySelector(".tr-tick").hidden = numbers.steps[place] !== true;
    });
    part("calls").hidden = empty;
    page.classList.toggle("tr-empty", empty && numbers.is_new); // the steps stand alone; zeros are news to others
    part("alarms").replaceChildren(...numbers.alarms.map((text) => element("p", "tr-alarm", text)));
    drawTiles();
    drawChart();
    drawCalls();
  }

  // Newer numbers.

  function readIn(pause) {
    const at = performance.now() + pause;
    if (at >= nextAt) return; // an earlier reading is planned already
    clearTimeout(nextReading);
    nextAt = at;
    nextReading = setTimeout(read, pause);
  }

  function say(state, text) {
    part("state").className = `tr-live tr-live-${state}`;
    part("state").textContent = text;
  }

  async function read() {
    nextAt = Infinity;
    if (reading) return;
    if (document.hidden) return; // `visibilitychange` goes on
    reading = true;
    try {
      const answer = await fetch(page.dataset.live, { headers: { Accept: "application/json" }, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      numbers = await answer.json();
      draw();
      say("on", "live");
    } catch {
      say("off", "not updated");
    } finally {
      reading = false;
    }
    readIn(socketOpen ? IDLE_PAUSE : POLL_PAUSE);
  }

  function connect() {
    const address = new URL(page.dataset.socket, window.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    let socket;
    try {
      socket = new WebSocket(address);
    } catch {
      return; // polling goes on
    }
    socket.addEventListener("open", () => {
      socketOpen = true;
    });
    socket.addEventListener("message", () => readIn(BATCH_PAUSE));
    socket.addEventListener("close", () => {
      socketOpen = false;
      readIn(POLL_PAUSE);
      setTimeout(connect, RECONNECT_PAUSE);
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) readIn(0);
  });
  new ResizeObserver(drawChart).observe(part("chart"));
  draw();
  connect();
  readIn(POLL_PAUSE);
})();
