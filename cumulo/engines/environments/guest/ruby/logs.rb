# frozen_string_literal: true

module Cumulo
  # What functions write: `puts` and Ruby's own Logger as records that stay whole.
  module Logs
    LEVELS = { 'TRACE' => 'debug', 'DEBUG' => 'debug', 'INFO' => 'info', 'WARN' => 'warn', 'ERROR' => 'error',
               'FATAL' => 'fatal' }.freeze

    class << self
      attr_reader :sink

      # Take the descriptor that the environment names. Without one everything goes to the standard output.
      def install
        @sink = Sink.new(ENV.delete('_LAMBDA_TELEMETRY_LOG_FD'))
        Logger.prepend(LoggerPatch)
        Kernel.module_eval do
          def puts(*words)
            Cumulo::Logs.sink.write("#{words.flatten.map { |word| word.to_s.encode('UTF-8') }.join("\n")}\n")
          end
        end
      end

      def json?
        ENV['AWS_LAMBDA_LOG_FORMAT'].to_s.casecmp?('JSON')
      end

      def level
        (LEVELS[ENV['AWS_LAMBDA_LOG_LEVEL'].to_s.upcase] if json?) || 'debug'
      end

      def error(failure, message)
        puts message
        puts JSON.pretty_generate(failure.document)
      end
    end

    # Where records go: four bytes of kind, four of length, eight of microseconds, then the text; all at once.
    class Sink < Logger::LogDevice
      def initialize(descriptor) # rubocop:disable Lint/MissingSuper
        @file = IO.for_fd(descriptor.to_i, 'wb', autoclose: false) if descriptor
        @file&.sync = true
        @kind = Logs.json? ? 0xa55a0002 : 0xa55a0003
      end

      def write(message)
        text = message.to_s
        return $stdout.write(text) unless @file

        micros = Process.clock_gettime(Process::CLOCK_REALTIME, :microsecond)
        @file.write([@kind, text.bytesize, micros].pack('L>L>Q>') + text.b)
      end

      def reopen(_log = nil, **)
        self
      end

      def close; end
    end

    # Loggers of the standard output, the standard error and nothing write records.
    module LoggerPatch
      def initialize(logdev, shift_age = 0, shift_size = 1_048_576, level: Logs.level, **words)
        ours = !logdev || logdev == $stdout || logdev == $stderr
        super(ours ? Logs.sink : logdev, shift_age, shift_size, level: level, **words)
        @default_formatter = Logs.json? ? JsonFormatter.new : TextFormatter.new if ours
      end
    end

    # Logger's own format, with the request's id.
    class TextFormatter < Logger::Formatter
      FORMAT = '%<sev>s, [%<datetime>s #%<process>d] %<severity>5s %<request_id>s -- %<progname>s: %<msg>s'

      def call(severity, time, progname, msg)
        line = format(FORMAT, sev: severity[0..0], datetime: format_datetime(time), process: $$, severity: severity,
                              request_id: $_global_aws_request_id, progname: progname, msg: msg2str(msg))
        "#{line.encode('UTF-8', invalid: :replace, undef: :replace)}\n"
      end
    end

    # One object a record.
    class JsonFormatter < Logger::Formatter
      def call(severity, time, progname, msg)
        error = msg.is_a?(Exception)
        record = { timestamp: time.utc.strftime('%Y-%m-%dT%H:%M:%S.%6NZ'), level: severity,
                   message: text(error ? msg.message : msg2str(msg)), requestId: $_global_aws_request_id }
        record[:logger] = text(progname) unless progname.to_s.empty?
        if error
          frames = Array(msg.backtrace).map { |line| text(line) }
          record.update(errorType: msg.class.to_s, errorMessage: text(msg.message), stackTrace: frames)
          record[:location] = location(frames.first) if frames.any?
        end
        "#{JSON.generate(record.compact)}\n"
      end

      private

      def location(frame)
        found = frame.match(/\A(?<file>.+):(?<line>\d+):in [`'](?<method>.+)'\z/)
        found ? "#{found[:file]}:#{found[:method]}:#{found[:line]}" : frame
      end

      def text(given)
        given.to_s.encode('UTF-8', invalid: :replace, undef: :replace)
      end
    end
  end
end
