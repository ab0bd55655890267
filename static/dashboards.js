// Dashboards: draws the charts with Chart.js, which the theme ships, and reads the page anew by itself if asked to.
// A chart's numbers stand beside it as JSON; colours are the style sheet's, so both themes draw their own.
(() => {
  "use strict";

  const SLICES = 8;
  let drawn = [];
  let waiting = null;

  const root = () => document.getElementById("dashboard");
  if (!root() || typeof Chart === "undefined") return;

  // Words for numbers.

  const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

  function dollars(value) {
    if (value === 0) return "$0";
    const digits = Math.abs(value) >= 1 ? 2 : Math.abs(value) >= 0.01 ? 4 : 6;
    return `$${value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: digits })}`;
  }

  function span(value) {
    if (value < 1000) return `${whole.format(value)} ms`;
    return value < 60000 ? `${(value / 1000).toFixed(2)} s` : `${(value / 60000).toFixed(1)} min`;
  }

  const WORDS = {
    count: (value, brief) => (brief ? short : whole).format(value),
    usd: dollars,
    ms: span,
    percent: (value) => `${whole.format(value)} %`,
  };

  // What stands at a tick: brief, unless two ticks would then say the same; then with as many digits as their step has.
  function tick(unit, value, ticks) {
    const said = ticks.map((one) => WORDS[unit](one.value, true));
    if (new Set(said).size === said.length) return WORDS[unit](value, true);
    const step = Math.abs(ticks[1].value - ticks[0].value);
    const digits = Math.min(12, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
    const figure = value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
    return { usd: `$${figure}`, ms: `${figure} ms`, percent: `${figure} %` }[unit] || figure;
  }

  // Colours.

  function palette() {
    const style = getComputedStyle(root());
    const get = (name) => style.getPropertyValue(`--db-${name}`).trim();
    return {
      of: (word) => get(typeof word === "number" ? ((word - 1) % SLICES) + 1 : word),
      grid: get("grid"),
      ink: get("ink"),
      paper: get("paper"),
      strong: get("strong"),
    };
  }

  const faint = (colour) => (colour.startsWith("#") ? `${colour}22` : colour);

  // Charts.

  function axis(colours, unit, options) {
    return {
      beginAtZero: true,
      border: { display: false },
      grid: { color: colours.grid, drawTicks: false, ...options.grid },
      ticks: {
        color: colours.ink,
        maxTicksLimit: 6,
        padding: 8,
        precision: unit === "count" ? 0 : undefined,
        callback: (value, _, ticks) => tick(unit, value, ticks),
      },
      ...options.more,
    };
  }

  function names(colours) {
    return {
      border: { display: false },
      grid: { display: false },
      ticks: { color: colours.ink, maxRotation: 0, autoSkip: true, autoSkipPadding: 24 },
    };
  }

  function line(series, chart, colours) {
    const colour = colours.of(series.colour);
    const kind = series.kind || (chart.kind === "line" ? "line" : "bar");
    const made = { label: series.name, data: series.values, type: kind, yAxisID: series.second ? "y2" : undefined };
    if (kind === "line") {
      const alone = chart.series.length === 1;
      return {
        ...made,
        borderColor: colour,
        backgroundColor: alone ? faint(colour) : colour,
        borderWidth: 2,
        cubicInterpolationMode: "monotone",
        fill: alone,
        pointRadius: series.values.filter((value) => value !== null).length === 1 ? 3 : 0, // no line goes through one
        pointHitRadius: 12,
        spanGaps: true,
      };
    }
    return { ...made, backgroundColor: colour, borderRadius: 2, maxBarThickness: 28 };
  }

  function config(chart) {
    const colours = palette();
    const legend = { position: "bottom", align: "start", labels: { color: colours.ink, boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 2 } };
    const unitOf = (item) => (item.dataset.yAxisID === "y2" ? chart.secondUnit : chart.unit);
    const value = (item) => (typeof item.parsed === "number" ? item.parsed : chart.kind === "across" ? item.parsed.x : item.parsed.y);
    const tooltip = {
      backgroundColor: colours.paper,
      titleColor: colours.strong,
      bodyColor: colours.strong,
      borderColor: colours.grid,
      borderWidth: 1,
      padding: 10,
      boxPadding: 4,
      filter: (item) => chart.kind === "doughnut" || value(item) !== 0,
      callbacks: {
        label: (item) => ` ${chart.kind === "doughnut" ? item.label : item.dataset.label}: ${WORDS[unitOf(item)](value(item))}`,
      },
    };
    const base = { animation: false, responsive: true, maintainAspectRatio: false };
    if (chart.kind === "doughnut") {
      const slices = chart.labels.map((_, place) => colours.of(place + 1));
      return {
        type: "doughnut",
        data: { labels: chart.labels, datasets: [{ data: chart.series[0].values, backgroundColor: slices, borderColor: colours.paper, borderWidth: 2 }] },
        options: { ...base, cutout: "62%", plugins: { legend: { ...legend, position: "right" }, tooltip } },
      };
    }
    const across = chart.kind === "across";
    const figures = axis(colours, chart.unit, { more: { stacked: chart.stacked } });
    const labels = { ...names(colours), stacked: chart.stacked };
    if (across) labels.ticks = { color: colours.ink, autoSkip: false };
    const scales = across ? { x: figures, y: labels } : { x: labels, y: figures };
    if (chart.series.some((series) => series.second)) {
      scales.y2 = axis(colours, chart.secondUnit, { grid: { drawOnChartArea: false }, more: { position: "right" } });
    }
    return {
      type: chart.kind === "line" ? "line" : "bar",
      data: { labels: chart.labels, datasets: chart.series.map((series) => line(series, chart, colours)) },
      options: {
        ...base,
        indexAxis: across ? "y" : "x",
        interaction: { mode: "index", intersect: false, axis: across ? "y" : "x" },
        plugins: { legend: { ...legend, display: chart.series.length > 1 }, tooltip },
        scales,
      },
    };
  }

  function draw() {
    drawn.forEach((chart) => chart.destroy());
    drawn = [...root().querySelectorAll("canvas[data-chart]")].map((canvas) => {
      const numbers = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
      return new Chart(canvas, config(numbers));
    });
    root().dataset.drawn = String(drawn.length);
  }

  // The page anew, in its place: the reader stays where they are.

  async function refresh() {
    const asked = document.hidden || root().contains(document.activeElement?.closest("form"));
    if (!asked) {
      try {
        const answer = await fetch(window.location.href, { headers: { Accept: "text/html" }, redirect: "error" });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("dashboard");
        if (page) {
          root().replaceWith(document.adoptNode(page));
          draw();
        }
      } catch {
        root().classList.add("db-stale"); // signed out, or the server is away: the old figures stay, and say so
      }
    }
    plan();
  }

  function plan() {
    clearTimeout(waiting);
    const seconds = Number(root().dataset.refresh);
    if (seconds > 0) waiting = setTimeout(refresh, seconds * 1000);
  }

  document.documentElement.addEventListener("proxx:refresh", refresh); // for whoever cannot wait
  new MutationObserver(draw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  Chart.defaults.font.family = "Inter, sans-serif";
  draw();
  plan();
})();
