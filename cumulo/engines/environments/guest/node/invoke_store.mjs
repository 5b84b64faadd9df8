// `awslambda.InvokeStore` of Node.js 24 on: what libraries ask for the request that is being served.
//
// Names: npm's @aws/lambda-invoke-store, which finds this one in the global object.

const REQUEST_ID = Symbol.for('_AWS_LAMBDA_REQUEST_ID')
const TRACE_ID = Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')
const TENANT_ID = Symbol.for('_AWS_LAMBDA_TENANT_ID')

export class InvokeStore {
  getContext() {
    return this.context
  }

  hasContext() {
    return this.context !== undefined
  }

  get(key) {
    return this.context?.[key]
  }

  set(key, value) {
    if ([REQUEST_ID, TRACE_ID, TENANT_ID].includes(key)) {
      throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`)
    }
    this.context ??= {}
    this.context[key] = value
  }

  run(context, todo) {
    this.context = context
    return todo()
  }

  getRequestId() {
    return this.get(REQUEST_ID) ?? '-'
  }

  getXRayTraceId() {
    return this.get(TRACE_ID)
  }

  getTenantId() {
    return this.get(TENANT_ID)
  }
}

export const contextOf = (requestId, traceId, tenantId) => ({
  [REQUEST_ID]: requestId,
  [TRACE_ID]: traceId,
  [TENANT_ID]: tenantId,
})
