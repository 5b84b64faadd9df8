// One invocation up to Node.js 22: handlers that promise, call back, or write a stream. Later ones: awaited_handlers.mjs.

import { Writable } from 'node:stream'
import { errorCause, errorDocument, InvalidStreamingOperation } from './errors.mjs'
import { logError, setRequest } from './logs.mjs'

const BEFORE_EXIT = Symbol.for('aws.lambda.beforeExit')
const nothing = () => {}
const whenIdle = (todo) => (globalThis[BEFORE_EXIT] = todo) // called when the event loop has run empty
export const isPromise = (value) => value && typeof value.then === 'function'

function parsed(text, name) {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error}`)
  }
}

export function invocationContext(headers) {
  const trace = headers['lambda-runtime-trace-id']
  if (trace) process.env._X_AMZN_TRACE_ID = trace
  else delete process.env._X_AMZN_TRACE_ID
  const deadline = headers['lambda-runtime-deadline-ms']
  return {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parsed(headers['lambda-runtime-client-context'], 'ClientContext'),
    identity: parsed(headers['lambda-runtime-cognito-identity'], 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  }
}

const fillContext = (context, headers) => Object.assign(context, invocationContext(headers))

async function begin(client, failing) {
  const { headers, body } = await client.next()
  const id = headers['lambda-runtime-aws-request-id']
  setRequest(id, headers['lambda-runtime-aws-tenant-id'])
  const end = (status) => async (error) => {
    client.fail(id, errorDocument(error), errorCause(error))
    await client.flush()
    process.exit(status)
  }
  failing.uncaughtException = end(129)
  failing.unhandledRejection = end(128)
  return { id, headers, body }
}

export function callbackHandler(client, handler, failing) {
  return async (iterate) => {
    const { id, headers, body } = await begin(client, failing)
    let over = false
    let waits = true
    const complete = (result) => {
      const text = JSON.stringify(result === undefined ? null : result)
      client.respond(id, text === undefined ? 'null' : text)
      iterate()
    }
    const fail = (error) => {
      logError('Invoke Error', error)
      client.fail(id, errorDocument(error), errorCause(error))
      iterate()
    }
    const once = (todo) => (...words) => {
      if (over) return
      over = true
      whenIdle(nothing)
      todo(...words)
    }
    const settle = (error, result) => {
      if (error !== undefined && error !== null) return fail(error)
      try {
        complete(result)
      } catch {
        fail(new Error('Unable to stringify response body'))
      }
    }
    const callback = once((error, result) => {
      if ((error !== undefined && error !== null) || !waits) settle(error, result)
      else whenIdle(() => { whenIdle(nothing); setImmediate(() => settle(null, result)) })
    })
    const context = {
      get callbackWaitsForEmptyEventLoop() { return waits },
      set callbackWaitsForEmptyEventLoop(value) { waits = value },
      succeed: once((result) => settle(null, result)),
      fail: once((error) => settle(error ?? 'handled')),
      done: once(settle),
    }
    whenIdle(() => { whenIdle(nothing); over = true; complete(null) })
    try {
      const result = handler(JSON.parse(body), fillContext(context, headers), callback)
      if (isPromise(result)) result.then(context.succeed, context.fail)
    } catch (error) {
      callback(error)
    }
  }
}

export class ResponseStream extends Writable {
  constructor(answer, highWaterMark) {
    super({ highWaterMark, decodeStrings: true })
    this.answer = answer
    this.first = true
  }

  setContentType(type) {
    if (!this.first) throw new InvalidStreamingOperation('Cannot set content-type, too late.')
    this.answer.contentType = type
  }

  write(data, encoding, callback) {
    if (typeof data !== 'string' && !Buffer.isBuffer(data) && data?.constructor !== Uint8Array) data = JSON.stringify(data)
    if (this.first) {
      this.first = false
      this._onBeforeFirstWrite?.((part) => super.write(part))
    }
    return super.write(data, encoding, callback)
  }

  end(data, encoding, callback) {
    if (data !== undefined && data !== null && typeof data !== 'function') {
      this.write(data, encoding)
      return super.end(callback)
    }
    return super.end(typeof data === 'function' ? data : callback)
  }

  _write(data, _encoding, callback) {
    this.answer.write(data, callback)
  }

  _final(callback) {
    this.answer.end(this.failure).then(() => callback(), callback)
  }
}

export function streamingHandler(client, handler, failing, highWaterMark) {
  return async (iterate) => {
    const { id, headers, body } = await begin(client, failing)
    let waits = true
    const context = {
      get callbackWaitsForEmptyEventLoop() { return waits },
      set callbackWaitsForEmptyEventLoop(value) { waits = value },
    }
    const stream = new ResponseStream(client.stream(id), highWaterMark)
    const finished = new Promise((resolve) => stream.once('finish', resolve))
    const next = () => {
      if (waits) whenIdle(() => { whenIdle(nothing); setImmediate(iterate) })
      else iterate()
    }
    const fail = async (error) => {
      logError('Invoke Error', error)
      if (stream.writableEnded) return next()
      stream.failure = errorDocument(error)
      stream.end()
      await finished
      next()
    }
    whenIdle(() => { whenIdle(nothing); if (!stream.writableEnded) fail('Response stream is not finished.'); else iterate() })
    try {
      const result = handler(JSON.parse(body), stream, fillContext(context, headers))
      if (!isPromise(result)) return await fail('Streaming does not support non-async handlers.')
      if ((await result) !== undefined) console.warn('Streaming handlers ignore return values.')
      if (!stream.writableEnded) return await fail('Response stream is not finished.')
      await finished
      next()
    } catch (error) {
      await fail(error)
    }
  }
}
