// Finds the function that a handler's name means: CommonJS or ES modules, in folders, in nested exports.

import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { findLayers } from './layers.mjs'
import { AWAITED, HandlerNotFound, ImportModuleError, InvalidStreamingOperation, MalformedHandlerName, MalformedStreamingHandler, UserCodeSyntaxError } from './errors.mjs'

const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')
const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response'
const require = createRequire(new URL('./index.mjs', import.meta.url))

class HttpResponseStream {
  static from(stream, prelude) {
    stream.setContentType(PRELUDE_TYPE)
    stream._onBeforeFirstWrite = (write) => {
      write(JSON.stringify(prelude))
      write(new Uint8Array(8))
    }
    return stream
  }
}

export async function load(root, handler) {
  if (handler.includes('..')) {
    throw new MalformedHandlerName(
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    )
  }
  const base = path.basename(handler)
  const folder = handler.slice(0, handler.indexOf(base))
  const match = base.match(/^([^.]*)\.(.*)$/)
  if (!match) throw new MalformedHandlerName('Bad handler')
  const exported = await application(root, folder, match[1])
  const find = (place) => match[2].split('.').reduce((inner, name) => inner && inner[name], place)
  const found = find(exported) || (AWAITED && find(exported?.default))
  if (!found) throw new HandlerNotFound(`${handler} is undefined or not exported`)
  if (typeof found !== 'function') throw new HandlerNotFound(`${handler} is not a function`)
  return found
}

export function metadata(handler) {
  const mode = handler[STREAMING]
  if (mode && mode !== 'response') throw new MalformedStreamingHandler('Only response streaming is supported.')
  const mark = Number.parseInt(handler[HIGH_WATER_MARK])
  return { streaming: Boolean(mode), highWaterMark: Number.isNaN(mark) ? undefined : mark }
}

async function application(root, folder, name) {
  if (!['1', 'true'].includes(process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA)) {
    globalThis.awslambda = { ...globalThis.awslambda, streamifyResponse, HttpResponseStream }
  }
  await findLayers()
  try {
    return await (AWAITED ? imported : required)(root, folder, name)
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserCodeSyntaxError(error)
    if (error.code === 'MODULE_NOT_FOUND') throw new ImportModuleError(error) // ES modules that are missing stay as they are
    throw error
  }
}

function streamifyResponse(handler, options) {
  handler[STREAMING] = 'response'
  if (typeof options?.highWaterMark === 'number') handler[HIGH_WATER_MARK] = Number.parseInt(options.highWaterMark)
  return handler
}

async function required(root, folder, name) {
  const file = path.resolve(root, folder, name)
  if (fs.existsSync(file)) return require(file) // a folder, too, although there may be a file with an extension
  if (fs.existsSync(`${file}.js`)) {
    return isModule(path.dirname(file)) ? await import(pathToFileURL(`${file}.js`)) : require(`${file}.js`)
  }
  if (fs.existsSync(`${file}.mjs`)) return await import(pathToFileURL(`${file}.mjs`))
  if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`)
  return require(require.resolve(name, { paths: [root, folder] }))
}

// From Node.js 24 on Node.js itself says what kind of module a file is.
async function imported(root, folder, name) {
  const file = path.resolve(root, folder, name)
  const found = ['', '.js', '.mjs', '.cjs'].find((extension) => fs.existsSync(file + extension))
  if (found !== undefined) return await import(pathToFileURL(file + found))
  return require(require.resolve(name, { paths: [root, path.join(root, folder)] }))
}

// Whether the nearest package.json says that .js files are ES modules.
function isModule(folder) {
  if (folder.endsWith('/node_modules')) return false
  const file = path.join(folder, 'package.json')
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8'))?.type === 'module'
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error)
      return false
    }
  }
  return folder === '/' ? false : isModule(path.dirname(folder))
}

export { InvalidStreamingOperation }
