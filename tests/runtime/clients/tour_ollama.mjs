// Ollama's own JavaScript client sees a server like its own.
// node tour_ollama.mjs BASE_URL CHAT EMBED TOOLS MOVING_URL REGISTRY DIGEST

import assert from 'node:assert/strict'
import { Ollama } from 'ollama'

const [host, CHAT, EMBED, TOOLS, moving, registry, digest] = process.argv.slice(2)
const client = new Ollama({ host })
const options = { temperature: 0, num_predict: 8 }
const messages = [{ role: 'user', content: 'What is the capital of France?' }]
const tool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Get the current weather in a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'The city' } },
      required: ['city'],
    },
  },
}

const collect = async (stream) => {
  const parts = []
  for await (const part of stream) parts.push(part)
  return parts
}
const refused = (promise, status, text) =>
  assert.rejects(promise, (error) => error.status_code === status && text.test(error.message))

const steps = {
  async version() {
    assert.match((await client.version()).version, /^\d+\.\d+\.\d+$/)
  },
  async models() {
    const names = (await client.list()).models.map((model) => model.name)
    assert.ok(names.includes(CHAT))
    const shown = await client.show({ model: CHAT })
    assert.equal(shown.details.format, 'gguf')
    assert.ok(shown.capabilities.includes('completion'))
    await client.generate({ model: CHAT, prompt: '' })
    assert.ok((await client.ps()).models.some((model) => model.name === CHAT))
    await refused(client.show({ model: 'nobody' }), 404, /not found/)
  },
  async chat() {
    const whole = await client.chat({ model: CHAT, messages, options })
    const parts = await collect(await client.chat({ model: CHAT, messages, options, stream: true }))
    assert.equal(parts.map((part) => part.message.content).join(''), whole.message.content)
    assert.ok(parts.at(-1).done && parts.at(-1).eval_count > 0)
    await refused(client.chat({ model: CHAT, messages, think: true }), 400, /thinking/)
    const seeing = [{ role: 'user', content: 'See', images: ['aGk='] }]
    await refused(client.chat({ model: CHAT, messages: seeing }), 400, /vision/)
  },
  async tools() {
    const asked = [{ role: 'user', content: 'What is the weather in Paris? Use the tool.' }]
    const how = { model: TOOLS, tools: [tool], options: { temperature: 0, num_predict: 80 } }
    const { message } = await client.chat({ ...how, messages: asked })
    assert.match(message.tool_calls[0].function.arguments.city, /Paris/)
    const result = { role: 'tool', tool_name: 'get_weather', content: '17 degrees' }
    const after = await client.chat({ ...how, tools: [], messages: [...asked, message, result] })
    assert.match(after.message.content, /17/)
  },
  async structured() {
    const format = {
      type: 'object',
      properties: { beds: { type: 'integer' } },
      required: ['beds'],
    }
    const how = { model: CHAT, messages, format, options: { ...options, num_predict: 40 } }
    const said = (await client.chat(how)).message.content
    assert.equal(typeof JSON.parse(said).beds, 'number')
  },
  async generate() {
    const first = await client.generate({ model: CHAT, prompt: 'Hello', options })
    assert.ok(first.context.length > 0)
    const how = { model: CHAT, prompt: 'And?', options, context: first.context }
    assert.ok((await client.generate(how)).prompt_eval_count > first.context.length)
    const raw = { model: CHAT, prompt: 'The capital of France is', raw: true, options }
    assert.match((await client.generate(raw)).response, /Paris/)
    await refused(client.generate({ model: CHAT, prompt: 'a', suffix: 'b' }), 400, /insert/)
  },
  async vectors() {
    const { embeddings } = await client.embed({ model: EMBED, input: ['one', 'two'] })
    assert.deepEqual(embeddings.map((vector) => vector.length), [384, 384])
    const { embedding } = await client.embeddings({ model: EMBED, prompt: 'one' })
    assert.equal(embedding.length, 384)
  },
  async making() {
    const made = await client.create({ model: 'tour-js', from: CHAT, system: 'Be brief.' })
    assert.equal(made.status, 'success')
    await client.copy({ source: 'tour-js', destination: 'tour-js-copy' })
    await client.delete({ model: 'tour-js' })
    await client.delete({ model: 'tour-js-copy' })
    await refused(client.delete({ model: 'tour-js' }), 404, /not found/)
  },
  async moving() {
    const there = new Ollama({ host: moving })
    const model = `http://${registry}/library/tour-js:1`
    await there.create({ model, files: { 'tiny.gguf': digest } })
    const pushed = await collect(await there.push({ model, insecure: true, stream: true }))
    assert.equal(pushed.at(-1).status, 'success')
    await there.delete({ model })
    const pulled = await collect(await there.pull({ model, insecure: true, stream: true }))
    assert.equal(pulled[0].status, 'pulling manifest')
    assert.equal(pulled.at(-1).status, 'success')
    await refused(there.pull({ model: 'registry.example/library/x' }), 403, /not allowed/)
  },
  async aborting() {
    for (let turn = 0; turn < 6; turn += 1) {
      const how = { model: CHAT, messages, stream: true, options: { num_predict: 400 } }
      const stream = await client.chat(how)
      const reading = (async () => {
        for await (const part of stream) if (part) stream.abort()
      })()
      await assert.rejects(reading, { name: 'AbortError' })
    }
    assert.ok((await client.chat({ model: CHAT, messages, options })).done)
  },
}

for (const [name, step] of Object.entries(steps)) {
  await step()
  console.log(name)
}
