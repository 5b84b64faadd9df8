# frozen_string_literal: true

module Cumulo
  HERE = "#{__dir__}/"

  # An exception of a function, as Lambda reports it.
  class Failure < StandardError
    REPORTED = %w[
      ArgumentError NoMethodError Exception StandardError NameError LoadError SystemExit SystemStackError
    ].freeze
    MOST_FRAMES = 100
    MOST_FOR_XRAY = 15

    # `ends`: the environment ends with it.
    def initialize(error, classification: 'Function', ends: false)
      super(error.message)
      @name = error.class.to_s
      @type = "#{classification}<#{@name}>"
      @frames = (error.backtrace_locations || []).first(MOST_FRAMES)
      @frames = @frames.take_while { |frame| !frame.to_s.start_with?(HERE) }
      @ends = ends
    end

    def ends?
      @ends
    end

    def document
      { errorMessage: text(message), errorType: @type, stackTrace: @frames.map { |frame| text(frame.to_s) } }
    end

    # What the Runtime API is told: only names that are everybody's.
    def reported_type
      REPORTED.include?(@name) ? @type : 'Function<UserException>'
    end

    def cause_for_xray
      stack = @frames.first(MOST_FOR_XRAY).map do |frame|
        { path: text(frame.path.to_s), line: frame.lineno, label: text(frame.label.to_s) }
      end
      exceptions = [{ message: text(message), type: @type, stack: stack }]
      cause = { working_directory: Dir.pwd, paths: Gem.paths.path, exceptions: exceptions }
      JSON.generate(cause, ascii_only: true)
    end

    private

    def text(given)
      given.encode('UTF-8', invalid: :replace, undef: :replace).scrub
    end
  end
end
