// Lambda's Node.js runtime: loads the handler, then answers one event after the other until the environment ends.
//
// Behaviour, names and texts of errors: npm's aws-lambda-ric, which AWS's managed runtimes contain, 3.3 up to Node.js 22 and
// 4.0 from Node.js 24 on; and AWS Lambda Developer Guide, "Define Lambda function handler in Node.js" and "Response
// streaming for Lambda functions".

import { checked, serve } from './awaited_handlers.mjs'
import { callbackHandler, streamingHandler } from './handlers.mjs'
import { RuntimeClient } from './client.mjs'
import { AWAITED, errorDocument, UnhandledPromiseRejection } from './errors.mjs'
import { InvokeStore } from './invoke_store.mjs'
import { load, metadata } from './loader.mjs'
import { logError, patchConsole, setRequest } from './logs.mjs'

const BEFORE_EXIT = Symbol.for('aws.lambda.beforeExit')

patchConsole()
const client = new RuntimeClient(process.env.AWS_LAMBDA_RUNTIME_API)
if (AWAITED) awaited()
else await untilIdle()

// What nobody catches ends the process as Node.js ends it.
async function awaited() {
  const store = new InvokeStore()
  const { AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA: kept } = process.env
  if (!['1', 'true'].includes(kept)) globalThis.awslambda = { InvokeStore: store }
  setRequest('-')
  let handler
  try {
    handler = checked(await load(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER))
  } catch (error) {
    logError('Init Error', error)
    await client.initError(errorDocument(error))
    throw error
  }
  await serve(client, handler, metadata(handler), store)
}

async function untilIdle() {
  const failing = {
    uncaughtException: async (error) => {
      await client.initError(errorDocument(error))
      process.exit(129)
    },
    unhandledRejection: async (error) => {
      await client.initError(errorDocument(error))
      process.exit(128)
    },
  }
  process.on('uncaughtException', (error) => {
    logError('Uncaught Exception', error)
    failing.uncaughtException(error)
  })
  process.on('unhandledRejection', (reason, promise) => {
    const error = new UnhandledPromiseRejection(reason, promise)
    logError('Unhandled Promise Rejection', error)
    failing.unhandledRejection(error)
  })
  globalThis[BEFORE_EXIT] = () => {}
  process.on('beforeExit', () => globalThis[BEFORE_EXIT]())

  const handler = await load(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER)
  const { streaming, highWaterMark } = metadata(handler)
  const once = streaming
    ? streamingHandler(client, handler, failing, highWaterMark)
    : callbackHandler(client, handler, failing)
  const iterate = () =>
    setImmediate(() =>
      once(iterate).catch((error) => {
        console.log(`Unexpected Top Level Error: ${error}`)
        failing.uncaughtException(error)
      }),
    )
  iterate()
}
