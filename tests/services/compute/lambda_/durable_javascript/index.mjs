// Durable functions written with Amazon's SDK for JavaScript.

import { StepSemantics, withDurableExecution } from '@aws/durable-execution-sdk-js'

export const steps = withDurableExecution(async (event, context) => {
  const first = await context.step('add', async () => event.n + 1)
  const second = await context.step(async () => first + 1)
  context.logger.info('added', { second })
  return { n: second }
})

export const waits = withDurableExecution(async (event, context) => {
  const before = await context.step('first', async () => 'before')
  await context.wait('nap', { hours: 2 })
  return [before, 'after']
})

export const retries = withDurableExecution(async (event, context) => {
  const config = {
    retryStrategy: (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 60 * attempt } }),
  }
  await context.step('flaky', async () => { throw new RangeError('not yet') }, config)
})

export const callback = withDurableExecution(async (event, context) => {
  const [promise, id] = await context.createCallback('approval', { timeout: { hours: 1 }, heartbeatTimeout: { minutes: 10 } })
  await context.step('tell', async () => id)
  return { approval: await promise }
})

export const submitted = withDurableExecution(async (event, context) =>
  context.waitForCallback('webhook', async (id) => { console.log(id) }, { timeout: { minutes: 5 } }),
)

export const branches = withDurableExecution(async (event, context) => {
  const branch = (seconds) => async (inner) => {
    await inner.wait({ seconds })
    return inner.step(async () => seconds)
  }
  const both = await context.parallel('both', [branch(60), branch(3600)])
  const squares = await context.map('squares', [...Array(60).keys()], async (inner, item) => inner.step(async () => item * item), { maxConcurrency: 5 })
  const child = await context.runInChildContext('child', async (inner) => inner.step(async () => 'inside'))
  return [both.getResults(), squares.getResults().at(-1), squares.successCount, child]
})

export const chain = withDurableExecution(async (event, context) => {
  const plain = await context.invoke('plain', event.plain, { n: 1 })
  const durable = await context.invoke('durable', event.durable, { n: plain.n })
  try {
    await context.invoke('broken', event.broken, {})
  } catch (error) {
    return [plain, durable, error.message]
  }
})

export const condition = withDurableExecution(async (event, context) =>
  context.waitForCondition('job', async (state) => ({ turns: state.turns + 1 }), {
    initialState: { turns: 0 },
    waitStrategy: (state) => (state.turns === 3 ? { shouldContinue: false } : { shouldContinue: true, delay: { seconds: 600 } }),
  }),
)

export const large = withDurableExecution(async (event, context) => {
  const texts = []
  for (let number = 0; number < 60; number++) texts.push(await context.step(`s${number}`, async () => 'x'.repeat(100_000)))
  await context.wait({ minutes: 5 })
  return texts.reduce((total, text) => total + text.length, 0)
})

export const crash = withDurableExecution(async (event, context) => {
  await context.step('once', async () => 1, { semantics: StepSemantics.AtMostOncePerRetry })
  process.exit(1)
})

export const fails = withDurableExecution(async () => {
  throw new TypeError('out of order')
})

export const plain = async (event) => ({ n: event.n + 10 })
export const broken = async () => { throw new Error('out of order') }
