// A small client of the Runtime API over one connection. An answer and the wish for the next event go out in one piece.

import net from 'node:net'

const BASE = '/2018-06-01/runtime'

export class RuntimeClient {
  constructor(address) {
    const [host, port] = address.split(':')
    this.host = `Host: ${address}\r\n`
    this.waiting = []
    this.received = Buffer.alloc(0)
    this.unsent = null
    this.socket = net.connect({ host, port: Number(port), noDelay: true })
    this.socket.on('data', (data) => this.take(data))
    this.socket.on('error', () => process.exit(0)) // the environment has ended
    this.socket.on('close', () => process.exit(0))
  }

  // Wait for an invocation; only this keeps the event loop from being empty.
  async next() {
    const request = `GET ${BASE}/invocation/next HTTP/1.1\r\n${this.host}\r\n`
    if (this.unsent !== null) {
      const [head, body] = this.unsent
      this.unsent = null
      this.expect() // the answer to what is sent along says nothing that we need
      this.socket.cork()
      this.socket.write(head, 'latin1')
      this.socket.write(body)
      this.socket.write(request, 'latin1')
      this.socket.uncork()
    } else {
      this.socket.write(request, 'latin1')
    }
    this.socket.ref()
    const answer = await this.expect()
    this.socket.unref()
    return answer
  }

  respond(id, text) {
    this.unsent = this.post(`/invocation/${encodeURIComponent(id)}/response`, text, '')
  }

  fail(id, document, cause) {
    const more = cause && cause.length < 1048576 ? `Lambda-Runtime-Function-XRay-Error-Cause: ${escaped(cause)}\r\n` : ''
    this.unsent = this.post(`/invocation/${encodeURIComponent(id)}/error`, JSON.stringify(document), more)
  }

  // Send what was answered, for a process that will not ask for more.
  async flush() {
    if (this.unsent !== null) {
      const [head, body] = this.unsent
      this.unsent = null
      await this.send(head, body)
    }
  }

  async initError(document) {
    const type = `Lambda-Runtime-Function-Error-Type: ${escaped(document.errorType ?? '')}\r\n`
    await this.send(...this.post('/init/error', JSON.stringify(document), type))
  }

  // An answer that is sent in parts.
  stream(id) {
    return new AnswerStream(this, `POST ${BASE}/invocation/${encodeURIComponent(id)}/response HTTP/1.1\r\n${this.host}`)
  }

  post(path, text, more) {
    const body = Buffer.from(text, 'utf8')
    const size = `Content-Length: ${body.length}\r\nContent-Type: application/json\r\n`
    return [`POST ${BASE}${path} HTTP/1.1\r\n${this.host}${size}${more}\r\n`, body]
  }

  send(head, body) {
    this.socket.ref()
    this.socket.cork()
    this.socket.write(head, 'latin1')
    this.socket.write(body)
    this.socket.uncork()
    return this.expect()
  }

  expect() {
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  take(data) {
    this.received = this.received.length ? Buffer.concat([this.received, data]) : data
    for (;;) {
      const end = this.received.indexOf('\r\n\r\n')
      if (end < 0) return
      const [first, ...lines] = this.received.toString('utf8', 0, end).split('\r\n')
      const headers = {}
      for (const line of lines) {
        const colon = line.indexOf(': ')
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 2)
      }
      const size = Number(headers['content-length'] ?? 0)
      const start = end + 4
      if (this.received.length < start + size) return
      const body = this.received.toString('utf8', start, start + size)
      this.received = this.received.subarray(start + size)
      this.waiting.shift()?.({ status: Number(first.slice(9, 12)), headers, body })
    }
  }
}

class AnswerStream {
  constructor(client, head) {
    this.client = client
    this.head = head
    this.contentType = 'application/octet-stream'
    this.begun = false
  }

  begin() {
    if (this.begun) return
    this.begun = true
    this.done = this.client.expect()
    this.client.socket.ref()
    this.client.socket.write(
      `${this.head}Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n` +
        'Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n' +
        `Content-Type: ${escaped(this.contentType)}\r\n\r\n`,
      'latin1',
    )
  }

  write(data, callback) {
    this.begin()
    if (data.length === 0) return callback()
    const { socket } = this.client
    socket.cork()
    socket.write(`${data.length.toString(16)}\r\n`, 'latin1')
    socket.write(data)
    socket.write('\r\n', 'latin1', callback)
    socket.uncork()
  }

  async end(document) {
    this.begin()
    let trailers = ''
    if (document) {
      const body = Buffer.from(JSON.stringify(document)).toString('base64')
      trailers = `Lambda-Runtime-Function-Error-Type: ${escaped(document.errorType ?? '')}\r\nLambda-Runtime-Function-Error-Body: ${body}\r\n`
    }
    this.client.socket.write(`0\r\n${trailers}\r\n`, 'latin1')
    await this.done
    this.client.socket.unref()
  }
}

// What a header can carry.
const escaped = (text) => text.replace(/[\r\n]/g, ' ').replace(/[^\x20-\x7e]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
