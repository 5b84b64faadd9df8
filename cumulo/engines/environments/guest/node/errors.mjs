// Errors that the runtime names itself, and what Lambda answers for an error.

import { types } from 'node:util'

// Whether the runtime is one that awaits handlers: see awaited_handlers.mjs.
export const AWAITED = Number.parseInt(process.versions.node) >= 24

class RuntimeError extends Error {
  get name() {
    return `Runtime.${this.constructor.name}`
  }
}
export class ImportModuleError extends RuntimeError {}
export class HandlerNotFound extends RuntimeError {}
export class MalformedHandlerName extends RuntimeError {}
export class UserCodeSyntaxError extends RuntimeError {
  constructor(error) {
    super(error)
    if (AWAITED) this.stack = error.stack
  }
}
export class MalformedStreamingHandler extends RuntimeError {}
export class InvalidStreamingOperation extends RuntimeError {}
export class CallbackHandlerDeprecated extends RuntimeError {}
export class JSONStringifyError extends RuntimeError {}
export class UnhandledPromiseRejection extends RuntimeError {
  constructor(reason, promise) {
    super(reason)
    this.reason = reason
    this.promise = promise
  }
}

const looksLikeError = (value) =>
  value && ['name', 'message', 'stack'].every((name) => value[name] && typeof value[name] === 'string')
const clean = (text) => text?.replace(/\x7F/g, '%7F')

export function errorDocument(error) {
  try {
    if (AWAITED ? error instanceof Error : types.isNativeError(error) || looksLikeError(error)) {
      const { stack } = error
      const trace = AWAITED && !stack ? [] : clean(stack).split('\n')
      return { errorType: clean(error.name), errorMessage: clean(error.message), trace }
    }
    return { errorType: typeof error, errorMessage: AWAITED ? String(error) : error.toString(), trace: [] }
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      ...(AWAITED && { trace: [] }),
    }
  }
}

// What X-Ray is told of an error.
export function errorCause(error) {
  try {
    const stack = (clean(error.stack) ?? '').split('\n').slice(1).map((each) => {
      const line = each.trim().replace(/\(|\)/g, '').replace(/^\S+ /, '')
      const space = line.lastIndexOf(' ')
      const [path, number] = line.slice(space + 1).split(':')
      return { path, line: Number.parseInt(number), label: space > 0 ? line.slice(0, space) : 'anonymous' }
    })
    const exceptions = [{ type: clean(error.name), message: clean(error.message), stack }]
    return JSON.stringify({ working_directory: process.cwd(), exceptions, paths: [...new Set(stack.map((each) => each.path))] })
  } catch {
    return ''
  }
}
