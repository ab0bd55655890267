// The official `ollama` library. It raises one type of error, with the status on it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ollama } from "ollama";

import * as upstream from "./upstream.js";
import { ARGUMENTS, DIALECTS, FAULTS, QUESTION, SCHEMA, TEXT } from "./upstream.js";

const ASK = [{ role: "user", content: QUESTION }];
const TOOL = {
  type: "function",
  function: { name: "weather", description: "Tell the weather.", parameters: SCHEMA },
};

const clientOf = (key = upstream.key) =>
  new Ollama({ host: upstream.origin, headers: { Authorization: `Bearer ${key}` } });
const raises = (status) => (error) => {
  assert.equal(error.name, "ResponseError", `${error.name}: ${error.message}`);
  assert.equal(error.status_code, status);
  assert.ok(error.message);
  return true;
};
const all = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
};

for (const dialect of DIALECTS) {
  describe(`ollama against ${dialect}`, () => {
    const client = clientOf();

    test("chat says a text, whole and streamed", async () => {
      const whole = await client.chat({ model: await upstream.saysText(dialect), messages: ASK });
      assert.equal(whole.message.content, TEXT);
      const asked = { model: await upstream.saysText(dialect), messages: ASK, stream: true };
      const pieces = await all(await client.chat(asked));
      assert.equal(pieces.map((piece) => piece.message.content).join(""), TEXT);
      assert.ok(pieces.at(-1).done);
    });

    test("generate says a text, whole and streamed", async () => {
      const whole = await client.generate({ model: await upstream.saysText(dialect), prompt: "Hi" });
      assert.equal(whole.response, TEXT);
      const asked = { model: await upstream.saysText(dialect), prompt: "Hi", stream: true };
      assert.equal((await all(await client.generate(asked))).map((piece) => piece.response).join(""), TEXT);
    });

    for (const way of ["whole", "streamed"]) {
      test(`chat calls a tool, ${way}`, async () => {
        const asked = { model: await upstream.callsThenAnswers(dialect), tools: [TOOL] };
        const answers =
          way === "whole"
            ? [await client.chat({ ...asked, messages: ASK })]
            : await all(await client.chat({ ...asked, messages: ASK, stream: true }));
        const { message } = answers.find((answer) => answer.message.tool_calls?.length);
        assert.equal(message.tool_calls[0].function.name, "weather");
        assert.deepEqual(message.tool_calls[0].function.arguments, ARGUMENTS);
        const messages = [...ASK, message, { role: "tool", tool_name: "weather", content: "Sun" }];
        assert.equal((await client.chat({ ...asked, messages })).message.content, TEXT);
      });
    }

    for (const [fault, status] of Object.entries(FAULTS)) {
      test(`a failure with ${fault} raises its status`, async () => {
        const whole = { model: await upstream.fails(dialect, fault), messages: ASK };
        await assert.rejects(() => client.chat(whole), raises(status));
        const streamed = { model: await upstream.fails(dialect, fault), messages: ASK, stream: true };
        await assert.rejects(() => client.chat(streamed), raises(status));
      });
    }

    test("a stream that breaks off raises an error", async () => {
      const asked = { model: await upstream.breaksOff(dialect), messages: ASK, stream: true };
      await assert.rejects(async () => all(await client.chat(asked)), Error);
    });
  });
}

test("ollama: a wrong key and an unknown model raise their status", async () => {
  await assert.rejects(() => clientOf(upstream.WRONG_KEY).chat({ model: "gpt-x", messages: ASK }), raises(401));
  await assert.rejects(() => clientOf().chat({ model: "no-such-model", messages: ASK }), raises(404));
});
