// The official JavaScript client, unmodified, against the gateway and against an emulated resource.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import OpenAI, { AzureOpenAI } from 'openai';

const { CHAT, EMBEDDING, API_VERSION } = process.env;
const targets = {
  gateway: { url: process.env.GATEWAY_URL, key: process.env.GATEWAY_KEY },
  emulator: { url: process.env.RESOURCE_URL, key: process.env.RESOURCE_KEY },
};
const kinds = {
  AzureOpenAI: ({ url, key }) =>
    new AzureOpenAI({ endpoint: url, apiKey: key, apiVersion: API_VERSION, maxRetries: 0 }),
  OpenAI: ({ url, key }) => new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: key, maxRetries: 0 }),
};
const messages = [{ role: 'user', content: 'Say hello.' }];
const tools = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

for (const [target, at] of Object.entries(targets)) {
  for (const [kind, make] of Object.entries(kinds)) {
    describe(`${kind} against the ${target}`, () => {
      const client = make(at);

      it('chats', async () => {
        const answer = await client.chat.completions.create({ model: CHAT, messages });
        assert.equal(answer.choices[0].finish_reason, 'stop');
        assert.ok(answer.choices[0].message.content.length > 0);
        assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
      });

      it('streams the same text', async () => {
        const plain = await client.chat.completions.create({ model: CHAT, messages });
        let text = '';
        let usage = null;
        const stream = await client.chat.completions.create({ model: CHAT, messages, stream: true });
        for await (const chunk of stream) {
          text += chunk.choices[0]?.delta?.content ?? '';
          usage = chunk.usage ?? usage;
        }
        assert.equal(text, plain.choices[0].message.content);
        assert.equal(usage, null);
      });

      it('streams usage when asked', async () => {
        let usage = null;
        const stream = await client.chat.completions.create({
          model: CHAT,
          messages,
          stream: true,
          stream_options: { include_usage: true },
        });
        for await (const chunk of stream) usage = chunk.usage ?? usage;
        assert.ok(usage.completion_tokens > 0);
      });

      it('calls tools, plain and streamed', async () => {
        const request = {
          model: CHAT,
          messages: [{ role: 'user', content: 'What is the weather in Seoul?' }],
          tools,
          tool_choice: 'required',
        };
        const answer = await client.chat.completions.create(request);
        assert.equal(answer.choices[0].finish_reason, 'tool_calls');
        const call = answer.choices[0].message.tool_calls[0];
        assert.equal(call.function.name, 'get_weather');
        assert.ok('city' in JSON.parse(call.function.arguments));

        const final = await client.chat.completions.stream(request).finalChatCompletion();
        assert.equal(final.choices[0].message.tool_calls[0].function.arguments, call.function.arguments);
      });

      it('embeds', async () => {
        const answer = await client.embeddings.create({ model: EMBEDDING, input: ['a river', '강'] });
        assert.equal(answer.data.length, 2);
        const length = Math.hypot(...answer.data[0].embedding);
        assert.ok(Math.abs(length - 1) < 1e-3, `length ${length}`);
      });

      it('uses the Responses API', async () => {
        const answer = await client.responses.create({ model: CHAT, input: 'Say hello.' });
        assert.equal(answer.status, 'completed');
        assert.ok(answer.output_text.length > 0);
        let text = '';
        let last;
        for await (const event of await client.responses.create({
          model: CHAT,
          input: 'Say hello.',
          stream: true,
        })) {
          if (event.type === 'response.output_text.delta') text += event.delta;
          last = event;
        }
        assert.equal(last.type, 'response.completed');
        assert.equal(text, answer.output_text);
      });

      it('throws the right error classes', async () => {
        const wrong = make({ ...at, key: 'not-a-key' });
        await assert.rejects(wrong.chat.completions.create({ model: CHAT, messages }), OpenAI.AuthenticationError);
        await assert.rejects(
          client.chat.completions.create({ model: 'no-such-deployment', messages }),
          OpenAI.NotFoundError,
        );
        await assert.rejects(
          client.chat.completions.create({
            model: CHAT,
            messages: [{ role: 'user', content: 'trigger content_filter please' }],
          }),
          (error) => error instanceof OpenAI.BadRequestError && error.code === 'content_filter',
        );
      });

      it('aborts a stream', async () => {
        const stream = await client.chat.completions.create({
          model: CHAT,
          messages: [{ role: 'user', content: 'Write a long story about a river.' }],
          stream: true,
          max_tokens: 2000,
        });
        for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
        assert.ok(stream.controller.signal.aborted);
      });
    });
  }
}
