// What every library is asked to do, and what the upstream says to it, scripted over HTTP (see /sim/help there).
// The launcher (__main__.py) says where things are and which model leads to the upstream of which dialect.

const under = JSON.parse(process.env.PROXX_UNDER_TEST ?? "null");
if (!under) throw new Error("Run these tests with `make test-js`: they need a running proxx.");

export const { origin, key } = under;
export const DIALECTS = Object.keys(under.upstreams);
export const WRONG_KEY = "sk-proxx-wrong";
export const TEXT = "Hello from the other side – 🙂.";
export const QUESTION = "What is the weather in Oslo?";
export const ARGUMENTS = { city: "Oslo" };
export const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};

// A fault of the upstream -> the HTTP status that a client of the gateway gets.
export const FAULTS = { 400: 400, 404: 404, 413: 413, 429: 429, 500: 502, 503: 502 };

/** Have the upstream of this dialect say the text; give the model to ask. */
export async function saysText(dialect) {
  await script(dialect, { steps: [{ say: TEXT }] });
  return under.upstreams[dialect].model;
}

/** Have it call the tool, then (asked again) say the text; give the model to ask. */
export async function callsThenAnswers(dialect) {
  await script(dialect, { steps: [{ call_tool: "weather", arguments: ARGUMENTS }] }, { steps: [{ say: TEXT }] });
  return under.upstreams[dialect].model;
}

/** Have it fail; give the model to ask. A limit makes a credential rest, so those models have many. */
export async function fails(dialect, fault) {
  await script(dialect, { steps: [{ fail: fault }] });
  return fault === "429" ? under.upstreams[dialect].limited : under.upstreams[dialect].model;
}

/** Have it say some words and then fail inside the stream; give the model to ask. */
export async function breaksOff(dialect) {
  await script(dialect, { steps: [{ say: "Some words" }, { fail: "500" }] });
  return under.upstreams[dialect].model;
}

async function script(dialect, ...rules) {
  await post("/sim/reset");
  const named = rules.map((rule) => ({ model: under.upstreams[dialect].name, ...rule }));
  await post("/sim/script", named);
}

async function post(path, body) {
  const answer = await fetch(under.provider + path, { method: "POST", body: JSON.stringify(body ?? {}) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}
