// Lambda's Node.js runtime: loads the handler, then answers one event after the other until the environment ends.
//
// Behaviour, names and texts of errors: npm's aws-lambda-ric 3.3, which AWS's managed runtimes contain; and AWS Lambda
// Developer Guide, "Define Lambda function handler in Node.js" and "Response streaming for Lambda functions".

import { callbackHandler, streamingHandler } from './handlers.mjs'
import { RuntimeClient } from './client.mjs'
import { errorDocument, UnhandledPromiseRejection } from './errors.mjs'
import { load, metadata } from './loader.mjs'
import { logError, patchConsole } from './logs.mjs'

const BEFORE_EXIT = Symbol.for('aws.lambda.beforeExit')

patchConsole()
const client = new RuntimeClient(process.env.AWS_LAMBDA_RUNTIME_API)
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
const serve = streaming ? streamingHandler(client, handler, failing, highWaterMark) : callbackHandler(client, handler, failing)
const iterate = () =>
  setImmediate(() =>
    serve(iterate).catch((error) => {
      console.log(`Unexpected Top Level Error: ${error}`)
      failing.uncaughtException(error)
    }),
  )
iterate()
