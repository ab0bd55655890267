// The official `@anthropic-ai/sdk` library.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";

import * as upstream from "./upstream.js";
import { ARGUMENTS, DIALECTS, FAULTS, QUESTION, SCHEMA, TEXT } from "./upstream.js";

const ERRORS = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  404: Anthropic.NotFoundError,
  413: Anthropic.APIError,
  429: Anthropic.RateLimitError,
  502: Anthropic.InternalServerError,
};
const ASK = [{ role: "user", content: QUESTION }];
const TOOL = { name: "weather", description: "Tell the weather.", input_schema: SCHEMA };

const clientOf = (apiKey = upstream.key) =>
  new Anthropic({ baseURL: upstream.origin, apiKey, maxRetries: 0, timeout: 30_000 });
const raises = (status) => (error) => {
  assert.ok(error instanceof ERRORS[status], `${error.constructor.name}: ${error.message}`);
  assert.equal(error.status, status);
  assert.equal(error.error.type, "error");
  return true;
};

for (const dialect of DIALECTS) {
  describe(`@anthropic-ai/sdk against ${dialect}`, () => {
    const client = clientOf();
    const asking = (model) => ({ model, max_tokens: 500, messages: ASK });

    test("messages say a text, whole and streamed", async () => {
      const whole = await client.messages.create(asking(await upstream.saysText(dialect)));
      assert.equal(whole.content[0].text, TEXT);
      const stream = client.messages.stream(asking(await upstream.saysText(dialect)));
      assert.equal(await stream.finalText(), TEXT);
      assert.ok((await stream.finalMessage()).usage.output_tokens > 0);
    });

    for (const way of ["whole", "streamed"]) {
      test(`messages call a tool, ${way}`, async () => {
        const asked = { ...asking(await upstream.callsThenAnswers(dialect)), tools: [TOOL] };
        const answer =
          way === "whole" ? await client.messages.create(asked) : await client.messages.stream(asked).finalMessage();
        assert.equal(answer.stop_reason, "tool_use");
        const call = answer.content.find((block) => block.type === "tool_use");
        assert.equal(call.name, "weather");
        assert.deepEqual(call.input, ARGUMENTS);
        const result = { type: "tool_result", tool_use_id: call.id, content: "Sun" };
        const messages = [...ASK, { role: "assistant", content: answer.content }, { role: "user", content: [result] }];
        const end = await client.messages.create({ ...asked, messages });
        assert.equal(end.content[0].text, TEXT);
      });
    }

    for (const [fault, status] of Object.entries(FAULTS)) {
      test(`a failure with ${fault} raises its own type`, async () => {
        const whole = asking(await upstream.fails(dialect, fault));
        await assert.rejects(() => client.messages.create(whole), raises(status));
        const streamed = { ...asking(await upstream.fails(dialect, fault)), stream: true };
        await assert.rejects(() => client.messages.create(streamed), raises(status));
      });
    }

    test("a stream that breaks off raises an error", async () => {
      const stream = client.messages.stream(asking(await upstream.breaksOff(dialect)));
      await assert.rejects(() => stream.finalMessage(), Anthropic.APIError);
    });
  });
}

test("@anthropic-ai/sdk: a wrong key and an unknown model raise their own types", async () => {
  const asked = { model: "no-such-model", max_tokens: 500, messages: ASK };
  await assert.rejects(() => clientOf(upstream.WRONG_KEY).messages.create(asked), raises(401));
  await assert.rejects(() => clientOf().messages.create(asked), raises(404));
});

test("@anthropic-ai/sdk: tokens are counted and models listed", async () => {
  const counted = await clientOf().messages.countTokens({ model: "gpt-x", messages: ASK });
  assert.ok(counted.input_tokens > 0);
  assert.ok(Array.isArray((await clientOf().models.list({ limit: 1 })).data));
});
