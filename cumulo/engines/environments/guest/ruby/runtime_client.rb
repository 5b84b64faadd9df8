# frozen_string_literal: true

require 'socket'

module Cumulo
  # The server hung up: this environment has ended.
  class Gone < StandardError; end

  # An event: its headers by name, in any case, and its body.
  class Event
    attr_reader :body

    def initialize(headers, body)
      @headers = headers
      @body = body
    end

    def [](name)
      @headers[name.downcase]
    end
  end

  # The Runtime API over one connection. An answer and the wish for the next event go out in one piece.
  class RuntimeClient
    BASE = '/2018-06-01/runtime'
    MOST_CAUSE = 1024 * 1024

    def initialize(address)
      host, port = address.split(':')
      @socket = TCPSocket.new(host, port.to_i)
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
      @host = "Host: #{address}\r\n"
      @received = String.new(encoding: Encoding::BINARY)
      @unsent = nil
    rescue SystemCallError
      raise Gone
    end

    # Wait for an event.
    def next
      wish = "GET #{BASE}/invocation/next HTTP/1.1\r\n#{@host}\r\n"
      answered = !@unsent.nil?
      send(answered ? @unsent + wish : wish)
      @unsent = nil
      receive if answered
      receive
    end

    # The function's answer; it leaves with the next `next`.
    def respond(id, body, type)
      @unsent = post("/invocation/#{id}/response", body, "Content-Type: #{type}\r\n")
    end

    # The function's error; it leaves with the next `next` or `flush`.
    def fail(id, document, type, cause)
      more = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: #{type}\r\n"
      more += "Lambda-Runtime-Function-XRay-Error-Cause: #{cause}\r\n" if cause.bytesize < MOST_CAUSE
      @unsent = post("/invocation/#{id}/error", document, more)
    end

    def flush
      send(@unsent)
      @unsent = nil
      receive
    end

    def init_error(document, type)
      send(post('/init/error', document, "Lambda-Runtime-Function-Error-Type: #{type}\r\n"))
      receive
    end

    private

    def post(path, body, more)
      bytes = body.to_s.b
      "POST #{BASE}#{path} HTTP/1.1\r\n#{@host}#{more}Content-Length: #{bytes.bytesize}\r\n\r\n".b + bytes
    end

    def send(bytes)
      @socket.write(bytes)
    rescue SystemCallError
      raise Gone
    end

    def receive
      @received << more until (head = @received.index("\r\n\r\n"))
      lines = @received.byteslice(0, head).force_encoding(Encoding::UTF_8).split("\r\n").drop(1)
      headers = lines.to_h do |line|
        name, value = line.split(': ', 2)
        [name.downcase, value]
      end
      size = headers.fetch('content-length', '0').to_i
      whole = head + 4 + size
      @received << more while @received.bytesize < whole
      body = @received.byteslice(head + 4, size).force_encoding(Encoding::UTF_8)
      @received = @received.byteslice(whole, @received.bytesize - whole)
      Event.new(headers, body)
    end

    def more
      @socket.readpartial(262_144)
    rescue EOFError, SystemCallError
      raise Gone
    end
  end
end
