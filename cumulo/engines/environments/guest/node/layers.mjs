// ES modules of layers: `import` finds in NODE_PATH what it does not find beside the code, as it does in Lambda's own Node.js.
//
// Source: AWS Compute Blog, "Node.js 18.x runtime now available in AWS Lambda", ES module resolution using NODE_PATH.

import fs from 'node:fs'
import module from 'node:module'
import { pathToFileURL } from 'node:url'

const folders = (process.env.NODE_PATH ?? '').split(':').filter((each) => each.endsWith('/node_modules') && fs.existsSync(each))
const isPackage = (specifier) => !/^[./#]|^[a-z]+:/i.test(specifier)
const isMissing = (error) => ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(error.code)
const within = (context, folder) => ({ ...context, parentURL: pathToFileURL(`${folder.slice(0, -'node_modules'.length)}.mjs`).href })

// Only where a layer brings packages: hooks cost time. The oldest versions run them in a thread.
export async function findLayers() {
  if (!folders.length) return
  if (module.registerHooks) module.registerHooks({ resolve: resolveNow })
  else module.register('./layers.mjs', import.meta.url)
}

function resolveNow(specifier, context, next) {
  try {
    return next(specifier, context)
  } catch (error) {
    if (!isPackage(specifier) || !isMissing(error) || !context.conditions?.includes('import')) throw error
    for (const folder of folders) {
      try {
        return next(specifier, within(context, folder))
      } catch (another) {
        if (!isMissing(another)) throw another
      }
    }
    throw error
  }
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context)
  } catch (error) {
    if (!isPackage(specifier) || !isMissing(error)) throw error
    for (const folder of folders) {
      try {
        return await next(specifier, within(context, folder))
      } catch (another) {
        if (!isMissing(another)) throw another
      }
    }
    throw error
  }
}
