// Vercel's `ai` with its own providers for OpenAI (both APIs), Anthropic, Google, and anything OpenAI-compatible.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import * as upstream from "./upstream.js";
import { ARGUMENTS, DIALECTS, FAULTS, QUESTION, TEXT } from "./upstream.js";

const at = (path, apiKey) => ({ baseURL: upstream.origin + path, apiKey });

// Each takes a model's name and a key. A name with a slash needs its `models/` spelled out towards Google's provider.
const PROVIDERS = {
  "@ai-sdk/openai, responses": (model, key) => createOpenAI(at("/v1", key)).responses(model),
  "@ai-sdk/openai, chat": (model, key) => createOpenAI(at("/v1", key)).chat(model),
  "@ai-sdk/anthropic": (model, key) => createAnthropic(at("/v1", key))(model),
  "@ai-sdk/google": (model, key) => createGoogleGenerativeAI(at("/v1beta", key))(`models/${model}`),
  "@ai-sdk/openai-compatible": (model, key) =>
    createOpenAICompatible({ name: "proxx", includeUsage: true, ...at("/v1", key) })(model),
};

const raises = (status) => (error) => {
  assert.ok(APICallError.isInstance(error), `${error.name}: ${error.message}`);
  assert.equal(error.statusCode, status);
  return true;
};

/** Stream to the end; throw the first error part, as an application that shows errors would. */
async function streamed(options) {
  const result = streamText({ ...options, onError: () => undefined });
  for await (const part of result.fullStream) if (part.type === "error") throw part.error;
  return { text: await result.text, usage: await result.totalUsage, steps: await result.steps };
}

const WAYS = { whole: generateText, streamed };

for (const [name, provider] of Object.entries(PROVIDERS)) {
  for (const dialect of DIALECTS) {
    describe(`ai with ${name} against ${dialect}`, () => {
      const asking = (model) => ({ model: provider(model, upstream.key), prompt: QUESTION, maxRetries: 0 });

      for (const [way, ask] of Object.entries(WAYS)) {
        test(`says a text, ${way}`, async () => {
          const answer = await ask(asking(await upstream.saysText(dialect)));
          assert.equal(answer.text, TEXT);
          assert.ok(answer.usage.outputTokens > 0);
        });

        test(`runs a tool and reads its result, ${way}`, async () => {
          const ran = [];
          const weather = tool({
            description: "Tell the weather.",
            inputSchema: z.object({ city: z.string() }),
            execute: async (input) => {
              ran.push(input);
              return "Sun";
            },
          });
          const asked = asking(await upstream.callsThenAnswers(dialect));
          const answer = await ask({ ...asked, tools: { weather }, stopWhen: stepCountIs(3) });
          assert.deepEqual(ran, [ARGUMENTS]);
          assert.equal(answer.text, TEXT);
          assert.equal(answer.steps.length, 2);
        });

        for (const [fault, status] of Object.entries(FAULTS)) {
          test(`a failure with ${fault} raises its status, ${way}`, async () => {
            const asked = asking(await upstream.fails(dialect, fault));
            await assert.rejects(() => ask(asked), raises(status));
          });
        }
      }

      test("a stream that breaks off raises an error", async () => {
        const asked = asking(await upstream.breaksOff(dialect));
        await assert.rejects(() => streamed(asked));
      });
    });
  }

  test(`ai with ${name}: a wrong key and an unknown model raise their status`, async () => {
    const asked = { prompt: QUESTION, maxRetries: 0 };
    const wrong = provider("gpt-x", upstream.WRONG_KEY);
    await assert.rejects(() => generateText({ ...asked, model: wrong }), raises(401));
    const unknown = provider("no-such-model", upstream.key);
    await assert.rejects(() => generateText({ ...asked, model: unknown }), raises(404));
  });
}
