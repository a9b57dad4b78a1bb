// OpenAI's own JavaScript client against our /v1.
// node tour_openai.mjs BASE_URL CHAT EMBED TOOLS

import assert from 'node:assert/strict'
import OpenAI from 'openai'

const [baseURL, CHAT, EMBED, TOOLS] = process.argv.slice(2)
const client = new OpenAI({ baseURL, apiKey: 'none', maxRetries: 0 })
const messages = [{ role: 'user', content: 'What is the capital of France?' }]
const greedy = { model: CHAT, temperature: 0, max_tokens: 8 }
const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
}
const wanted = { name: 'get_weather', description: 'Get the weather in a city.', parameters }

const collect = async (stream) => {
  const parts = []
  for await (const part of stream) parts.push(part)
  return parts
}

const steps = {
  async models() {
    const names = (await collect(client.models.list())).map((model) => model.id)
    assert.ok(names.includes(CHAT))
    assert.equal((await client.models.retrieve(CHAT)).object, 'model')
    await assert.rejects(client.models.retrieve('nobody'), OpenAI.NotFoundError)
  },
  async chat() {
    const whole = await client.chat.completions.create({ ...greedy, messages })
    const how = { ...greedy, messages, stream: true, stream_options: { include_usage: true } }
    const chunks = await collect(await client.chat.completions.create(how))
    const said = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
    assert.equal(said, whole.choices[0].message.content)
    assert.deepEqual(chunks.at(-1).usage, whole.usage)
    const final = await client.chat.completions.stream({ ...greedy, messages }).finalContent()
    assert.equal(final, said)
  },
  async tools() {
    const asked = [{ role: 'user', content: 'What is the weather in Paris? Use the tool.' }]
    const how = { model: TOOLS, temperature: 0, max_tokens: 80, messages: asked }
    const tools = [{ type: 'function', function: wanted }]
    const stream = client.chat.completions.stream({ ...how, tools })
    const completion = await stream.finalChatCompletion()
    const { message, finish_reason } = completion.choices[0]
    assert.equal(finish_reason, 'tool_calls')
    assert.match(JSON.parse(message.tool_calls[0].function.arguments).city, /Paris/)
    const result = { role: 'tool', tool_call_id: message.tool_calls[0].id, content: '17 degrees' }
    const after = await client.chat.completions.create({
      ...how,
      messages: [...asked, message, result],
    })
    assert.match(after.choices[0].message.content, /17/)
  },
  async structured() {
    const schema = {
      type: 'object',
      properties: { beds: { type: 'integer' } },
      required: ['beds'],
      additionalProperties: false,
    }
    const found = await client.chat.completions.parse({
      ...greedy,
      max_tokens: 40,
      messages,
      response_format: { type: 'json_schema', json_schema: { name: 'w', strict: true, schema } },
    })
    assert.equal(typeof JSON.parse(found.choices[0].message.content).beds, 'number')
  },
  async logprobs() {
    const how = { ...greedy, messages, logprobs: true, top_logprobs: 2 }
    const { content } = (await client.chat.completions.create(how)).choices[0].logprobs
    assert.ok(content.every((one) => one.logprob <= 0 && one.top_logprobs.length === 2))
  },
  async completions() {
    const how = { ...greedy, prompt: 'The capital of France is' }
    const whole = await client.completions.create(how)
    const parts = await collect(await client.completions.create({ ...how, stream: true }))
    assert.equal(parts.map((part) => part.choices[0].text).join(''), whole.choices[0].text)
  },
  async vectors() {
    const usual = await client.embeddings.create({ model: EMBED, input: ['one', 'two'] })
    assert.equal(usual.data[1].embedding.length, 384)
    const how = { model: EMBED, input: 'two', encoding_format: 'float' }
    const plain = (await client.embeddings.create(how)).data[0].embedding
    assert.ok(Math.abs(plain[0] - usual.data[1].embedding[0]) < 1e-5)
  },
  async responses() {
    const how = { model: CHAT, input: messages, temperature: 0, max_output_tokens: 20 }
    const whole = await client.responses.create(how)
    const events = await collect(await client.responses.create({ ...how, stream: true }))
    const deltas = events.filter((one) => one.type === 'response.output_text.delta')
    assert.equal(deltas.map((one) => one.delta).join(''), whole.output_text)
    assert.equal(events.at(-1).type, 'response.completed')
    const final = await client.responses.stream(how).finalResponse()
    assert.equal(final.output_text, whole.output_text)
  },
  async errors() {
    const asking = (change) => client.chat.completions.create({ ...greedy, messages, ...change })
    await assert.rejects(asking({ model: 'nobody' }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError)
      assert.equal(error.type, 'not_found_error')
      return true
    })
    await assert.rejects(asking({ messages: [] }), OpenAI.BadRequestError)
  },
  async aborting() {
    for (let turn = 0; turn < 6; turn += 1) {
      const stream = await client.chat.completions.create({ model: CHAT, messages, stream: true })
      for await (const chunk of stream) if (chunk) stream.controller.abort()
    }
    assert.ok((await client.chat.completions.create({ ...greedy, messages })).choices.length)
  },
}

for (const [name, step] of Object.entries(steps)) {
  await step()
  console.log(name)
}
