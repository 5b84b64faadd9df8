// One invocation from Node.js 24 on: what a handler returns is awaited, and nothing else is waited for.
//
// Behaviour and texts: npm's aws-lambda-ric 4.0, which AWS's managed runtimes contain from nodejs24.x on.

import { CallbackHandlerDeprecated, errorCause, errorDocument, JSONStringifyError } from './errors.mjs'
import { invocationContext, isPromise, ResponseStream } from './handlers.mjs'
import { contextOf } from './invoke_store.mjs'
import { metadata } from './loader.mjs'
import { logError, setRequest } from './logs.mjs'

const CALLBACKS =
  'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.'
const soon = () => new Promise((resolve) => setImmediate(resolve))

// The handler, if it is of a kind that can be awaited.
export function checked(handler) {
  if (handler.length >= 3 && !metadata(handler).streaming) throw new CallbackHandlerDeprecated(CALLBACKS)
  return handler
}

// Serve events until the environment ends.
export async function serve(client, handler, { streaming, highWaterMark }, store) {
  const answer = streaming ? streamed : buffered
  for (;;) {
    const { headers, body } = await client.next()
    const id = headers['lambda-runtime-aws-request-id']
    const tenant = headers['lambda-runtime-aws-tenant-id']
    setRequest(id, tenant)
    const context = invocationContext(headers)
    context.xRayTraceId = headers['lambda-runtime-trace-id']
    const event = JSON.parse(body)
    await store.run(contextOf(id, context.xRayTraceId, tenant), () => answer(client, id, handler, event, context, highWaterMark))
  }
}

async function buffered(client, id, handler, event, context) {
  try {
    const result = await handler(event, context)
    await soon()
    client.respond(id, serialized(result))
  } catch (error) {
    await soon()
    logError('Invoke Error', error)
    client.fail(id, errorDocument(error), errorCause(error))
  }
}

function serialized(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? 'null'
  } catch {
    throw new JSONStringifyError('Unable to stringify response body')
  }
}

async function streamed(client, id, handler, event, context, highWaterMark) {
  const stream = new ResponseStream(client.stream(id), highWaterMark)
  const finished = new Promise((resolve) => stream.once('finish', resolve))
  try {
    const result = handler(event, stream, context)
    if (!isPromise(result)) throw new Error('Streaming does not support non-async handlers.')
    if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.')
    await finished
  } catch (error) {
    await soon()
    logError('Invoke Error', error)
    if (!stream.writableEnded) {
      stream.failure = errorDocument(error)
      stream.end()
    }
    await finished
  }
}
