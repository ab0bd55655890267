// The official `openai` library, chat and responses.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import OpenAI from "openai";

import * as upstream from "./upstream.js";
import { ARGUMENTS, DIALECTS, FAULTS, QUESTION, SCHEMA, TEXT } from "./upstream.js";

const ERRORS = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  404: OpenAI.NotFoundError,
  413: OpenAI.APIError,
  429: OpenAI.RateLimitError,
  502: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
};
const ASK = [{ role: "user", content: QUESTION }];
const FUNCTION = { name: "weather", description: "Tell the weather.", parameters: SCHEMA };

const clientOf = (apiKey = upstream.key) =>
  new OpenAI({ baseURL: `${upstream.origin}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const raises = (status) => (error) => {
  assert.ok(error instanceof ERRORS[status], `${error.constructor.name}: ${error.message}`);
  assert.equal(error.status, status);
  return true;
};

for (const dialect of DIALECTS) {
  describe(`openai against ${dialect}`, () => {
    const client = clientOf();

    test("chat says a text, whole and streamed", async () => {
      const whole = await client.chat.completions.create({ model: await upstream.saysText(dialect), messages: ASK });
      assert.equal(whole.choices[0].message.content, TEXT);
      assert.ok(whole.usage.completion_tokens > 0);
      const stream = client.chat.completions.stream({ model: await upstream.saysText(dialect), messages: ASK });
      assert.equal(await stream.finalContent(), TEXT);
    });

    for (const way of ["whole", "streamed"]) {
      test(`chat calls a tool, ${way}`, async () => {
        const tools = [{ type: "function", function: FUNCTION }];
        const asked = { model: await upstream.callsThenAnswers(dialect), tools };
        const answer =
          way === "whole"
            ? await client.chat.completions.create({ ...asked, messages: ASK })
            : await client.chat.completions.stream({ ...asked, messages: ASK }).finalChatCompletion();
        const { message, finish_reason } = answer.choices[0];
        assert.equal(finish_reason, "tool_calls");
        const [call] = message.tool_calls;
        assert.equal(call.function.name, "weather");
        assert.deepEqual(JSON.parse(call.function.arguments), ARGUMENTS);
        const { parsed, ...said } = message;
        said.tool_calls = [{ id: call.id, type: call.type, function: { name: "weather", arguments: call.function.arguments } }];
        const messages = [...ASK, said, { role: "tool", tool_call_id: call.id, content: "Sun" }];
        const end = await client.chat.completions.create({ ...asked, messages });
        assert.equal(end.choices[0].message.content, TEXT);
      });

      test(`responses call a tool, ${way}`, async () => {
        const tools = [{ type: "function", strict: true, ...FUNCTION }];
        const asked = { model: await upstream.callsThenAnswers(dialect), tools, store: false };
        const answer =
          way === "whole"
            ? await client.responses.create({ ...asked, input: ASK })
            : await client.responses.stream({ ...asked, input: ASK }).finalResponse();
        const call = answer.output.find((item) => item.type === "function_call");
        assert.equal(call.name, "weather");
        assert.deepEqual(JSON.parse(call.arguments), ARGUMENTS);
        const history = answer.output.map(({ parsed_arguments, ...item }) => item);
        const result = { type: "function_call_output", call_id: call.call_id, output: "Sun" };
        const end = await client.responses.create({ ...asked, input: [...ASK, ...history, result] });
        assert.equal(end.output_text, TEXT);
      });
    }

    test("responses say a text, whole and streamed", async () => {
      const whole = await client.responses.create({ model: await upstream.saysText(dialect), input: "Hi", store: false });
      assert.equal(whole.output_text, TEXT);
      const stream = client.responses.stream({ model: await upstream.saysText(dialect), input: "Hi", store: false });
      assert.equal((await stream.finalResponse()).output_text, TEXT);
    });

    for (const [fault, status] of Object.entries(FAULTS)) {
      test(`a failure with ${fault} raises its own type`, async () => {
        const chat = { model: await upstream.fails(dialect, fault), messages: ASK };
        await assert.rejects(() => client.chat.completions.create(chat), raises(status));
        const streamed = { model: await upstream.fails(dialect, fault), input: "Hi", stream: true, store: false };
        await assert.rejects(() => client.responses.create(streamed), raises(status));
      });
    }

    test("a stream that breaks off raises an error", async () => {
      const chat = client.chat.completions.stream({ model: await upstream.breaksOff(dialect), messages: ASK });
      await assert.rejects(() => chat.finalContent(), OpenAI.APIError);
    });
  });
}

test("openai: a wrong key and an unknown model raise their own types", async () => {
  const wrong = clientOf(upstream.WRONG_KEY);
  await assert.rejects(() => wrong.chat.completions.create({ model: "gpt-x", messages: ASK }), raises(401));
  await assert.rejects(() => clientOf().responses.create({ model: "no-such-model", input: "Hi" }), raises(404));
});
