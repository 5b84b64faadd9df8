// `console` as Lambda's Node.js runtimes write it, in both log formats, each record whole.

import fs from 'node:fs'
import { format } from 'node:util'
import { AWAITED, errorDocument } from './errors.mjs'

const REQUEST_ID = Symbol.for('aws.lambda.runtime.requestId')
const TENANT_ID = Symbol.for('aws.lambda.runtime.tenantId')
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const asJson = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON'

export function setRequest(id, tenant) {
  globalThis[REQUEST_ID] = id
  globalThis[TENANT_ID] = tenant
}

export function patchConsole() {
  const fd = Number.parseInt(process.env._LAMBDA_TELEMETRY_LOG_FD)
  delete process.env._LAMBDA_TELEMETRY_LOG_FD
  const least = Math.max(LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()), 0)
  for (const [number, level] of LEVELS.entries()) {
    const line = asJson ? jsonLine : textLine
    const log = (first, ...words) => record(fd, number + 1, line(level, [first, ...words])) // without words: "undefined"
    console[level.toLowerCase()] = number >= least || level === 'FATAL' ? log : () => {}
  }
  console.log = console.info
}

export function logError(message, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(AWAITED ? String(thrown) : thrown)
  if (asJson) console.error(error)
  else console.error(message, formatted(error))
}

function formatted(error) {
  try {
    return `\t${JSON.stringify(error, (_, value) => (value instanceof Error ? shown(value) : value))}`
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`
  }
}

function shown(error) {
  const all = { errorType: error.name, errorMessage: error.message, code: error.code, ...error }
  if (typeof error.stack === 'string') all.stack = error.stack.split('\n')
  return all
}

function textLine(level, words) {
  return `${new Date().toISOString()}\t${globalThis[REQUEST_ID]}\t${level}\t${format(...words)}\n`
}

function jsonLine(level, words) {
  const result = { timestamp: new Date().toISOString(), level, requestId: globalThis[REQUEST_ID] }
  const tenant = globalThis[TENANT_ID]
  if (AWAITED ? tenant : tenant != null) result.tenantId = tenant
  if (words.length === 1) {
    result.message = words[0]
    try {
      return JSON.stringify(result, (_, value) => (value instanceof Error ? { ...parts(value), ...value } : value))
    } catch {
      result.message = format(words[0])
      return JSON.stringify(result)
    }
  }
  result.message = format(...words)
  const error = words.slice(AWAITED ? 1 : 0).find((word) => word instanceof Error)
  if (error) Object.assign(result, { ...parts(error), stackTrace: parts(error).stackTrace ?? [] })
  return JSON.stringify(result)
}

function parts(error) {
  const stackTrace = typeof error.stack === 'string' ? error.stack.split('\n') : error.stack
  return { errorType: error.constructor?.name ?? 'UnknownError', errorMessage: error.message, stackTrace }
}

// Four bytes of kind, four of length, eight of microseconds, then the text; all at once, so that it stays together.
function record(fd, level, text) {
  if (Number.isNaN(fd)) {
    process.stdout.write(text.replace(/\n(?!$)/g, '\r').replace(/\n?$/, '\n'))
    return
  }
  const body = Buffer.from(text, 'utf8')
  const data = Buffer.alloc(16 + body.length)
  data.writeUInt32BE(((asJson ? 0xa55a0002 : 0xa55a0003) | (level << 2)) >>> 0, 0)
  data.writeUInt32BE(body.length, 4)
  data.writeBigInt64BE(BigInt(Date.now()) * 1000n, 8)
  body.copy(data, 16)
  for (let sent = 0; sent < data.length; ) {
    try {
      sent += fs.writeSync(fd, data, sent)
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1) // the pipe is full for a moment
    }
  }
}
