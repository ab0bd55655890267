// The official `@google/genai` library. It raises one type of error, with the status on it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ApiError, GoogleGenAI } from "@google/genai";

import * as upstream from "./upstream.js";
import { ARGUMENTS, DIALECTS, FAULTS, QUESTION, SCHEMA, TEXT } from "./upstream.js";

const TOOLS = [
  { functionDeclarations: [{ name: "weather", description: "Tell the weather.", parametersJsonSchema: SCHEMA }] },
];

const clientOf = (apiKey = upstream.key) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: upstream.origin, timeout: 30_000 } });
const raises = (status) => (error) => {
  assert.ok(error instanceof ApiError, `${error.constructor.name}: ${error.message}`);
  assert.equal(error.status, status);
  assert.equal(JSON.parse(error.message).error.code, status);
  return true;
};
const all = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces;
};

for (const dialect of DIALECTS) {
  describe(`@google/genai against ${dialect}`, () => {
    const { models } = clientOf();

    test("content says a text, whole and streamed", async () => {
      const whole = await models.generateContent({ model: await upstream.saysText(dialect), contents: QUESTION });
      assert.equal(whole.text, TEXT);
      assert.ok(whole.usageMetadata.candidatesTokenCount > 0);
      const asked = { model: await upstream.saysText(dialect), contents: QUESTION };
      const pieces = await all(await models.generateContentStream(asked));
      assert.equal(pieces.map((piece) => piece.text ?? "").join(""), TEXT);
    });

    for (const way of ["whole", "streamed"]) {
      test(`content calls a tool, ${way}`, async () => {
        const asked = { model: await upstream.callsThenAnswers(dialect), config: { tools: TOOLS } };
        const answers =
          way === "whole"
            ? [await models.generateContent({ ...asked, contents: QUESTION })]
            : await all(await models.generateContentStream({ ...asked, contents: QUESTION }));
        const parts = answers.flatMap((answer) => answer.candidates[0].content?.parts ?? []);
        const [call] = parts.flatMap((part) => part.functionCall ?? []);
        assert.equal(call.name, "weather");
        assert.deepEqual(call.args, ARGUMENTS);
        const result = { functionResponse: { id: call.id, name: "weather", response: { output: "Sun" } } };
        const contents = [
          { role: "user", parts: [{ text: QUESTION }] },
          { role: "model", parts },
          { role: "user", parts: [result] },
        ];
        assert.equal((await models.generateContent({ ...asked, contents })).text, TEXT);
      });
    }

    for (const [fault, status] of Object.entries(FAULTS)) {
      test(`a failure with ${fault} raises its status`, async () => {
        const whole = { model: await upstream.fails(dialect, fault), contents: QUESTION };
        await assert.rejects(() => models.generateContent(whole), raises(status));
        const streamed = { model: await upstream.fails(dialect, fault), contents: QUESTION };
        await assert.rejects(() => models.generateContentStream(streamed), raises(status));
      });
    }

    test("a stream that breaks off raises an error", async () => {
      const asked = { model: await upstream.breaksOff(dialect), contents: QUESTION };
      await assert.rejects(async () => all(await models.generateContentStream(asked)), Error);
    });
  });
}

test("@google/genai: a wrong key and an unknown model raise their status", async () => {
  const asked = { model: "no-such-model", contents: QUESTION };
  await assert.rejects(() => clientOf(upstream.WRONG_KEY).models.generateContent(asked), raises(401));
  await assert.rejects(() => clientOf().models.generateContent(asked), raises(404));
});

test("@google/genai: tokens are counted", async () => {
  const counted = await clientOf().models.countTokens({ model: "gpt-x", contents: QUESTION });
  assert.ok(counted.totalTokens > 0);
});
