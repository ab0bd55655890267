// The quota wall: lets the countdowns run on between two looks at the page, in the words of console/wall/spans.py.
(() => {
  "use strict";

  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

  function length(seconds) {
    const left = Math.max(0, Math.round(seconds));
    const place = UNITS.findIndex(([size]) => left >= size);
    if (place < 0) return "0 s";
    const [size, unit] = UNITS[place];
    const whole = Math.floor(left / size);
    if (place >= UNITS.length - 2) return `${whole} ${unit}`;
    const more = Math.floor((left % size) / UNITS[place + 1][0]);
    return more ? `${whole} ${unit} ${more} ${UNITS[place + 1][1]}` : `${whole} ${unit}`;
  }

  function tick() {
    const now = Date.now() / 1000;
    for (const one of document.querySelectorAll("time[data-until]")) {
      const said = length(Number(one.dataset.until) - now);
      if (one.textContent !== said) one.textContent = said;
    }
  }

  setInterval(tick, 1000);
})();
