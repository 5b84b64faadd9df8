# frozen_string_literal: true

# Lambda's Ruby runtime: loads the handler, then answers one event after the other until the environment ends.
#
# Behaviour, names and texts of errors: AWS's gem aws_lambda_ric 3, which its managed runtimes contain; and AWS Lambda
# Developer Guide, "Define Lambda function handler in Ruby".

require 'json'
require 'logger'
require 'stringio'
require_relative 'runtime_client'
require_relative 'lambda_context'
require_relative 'errors'
require_relative 'logs'

$_global_aws_request_id = nil

module AwsLambda
  # Between JSON and what handlers take and give. Functions may replace its methods.
  class Marshaller
    class << self
      def marshall_request(raw_request)
        raw_request['Content-Type'] == 'application/json' ? JSON.parse(raw_request.body) : raw_request.body
      end

      # An answer alone is JSON; with a second value, its content type.
      def marshall_response(method_response)
        case method_response
        when StringIO, IO then [method_response, 'application/unknown']
        else method_response.to_json
        end
      end
    end
  end
end

# The method that a handler's name means.
class LambdaHandler
  attr_reader :handler_file_name, :handler_method_name

  def initialize(env_handler:)
    parts = env_handler.split('.')
    case parts.size
    when 2 then @handler_file_name, @handler_method_name = parts
    when 3 then @handler_file_name, @handler_class, @handler_method_name = parts
    else
      raise ArgumentError, "Invalid handler #{parts}, must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where" \
        ' FILENAME corresponds with an existing Ruby source file FILENAME.rb, CLASS is an optional module/class' \
        ' namespace and METHOD is a callable method. If using CLASS, METHOD must be a class-level method.'
    end
  end

  # [answer, content type]; raises Cumulo::Failure.
  def call_handler(request:, context:)
    words = { event: request, context: context }
    answer = if @handler_class
               Kernel.const_get(@handler_class).send(@handler_method_name, **words)
             else
               __send__(@handler_method_name, **words)
             end
    AwsLambda::Marshaller.marshall_response(answer)
  rescue NameError, SystemStackError, NoMemoryError => e # NoMethodError is one
    raise Cumulo::Failure.new(e, ends: true)
  rescue StandardError => e
    raise Cumulo::Failure.new(e)
  rescue Exception => e # rubocop:disable Lint/RescueException
    raise Cumulo::Failure.new(e, ends: true)
  end
end

module Cumulo
  INIT_STATUS = 252
  FATAL_STATUS = 255

  # One environment's runtime.
  class Runner
    def initialize(client)
      @client = client
    end

    def run(name)
      $LOAD_PATH.unshift(ENV['LAMBDA_TASK_ROOT']) unless $LOAD_PATH.include?(ENV['LAMBDA_TASK_ROOT'])
      handler = LambdaHandler.new(env_handler: name)
      require handler.handler_file_name
    rescue Exception => e # rubocop:disable Lint/RescueException
      failure = Failure.new(e, classification: 'Init')
      Logs.error(failure, "Init error when loading handler #{name}")
      @client.init_error(failure.document.to_json, failure.reported_type)
      exit!(INIT_STATUS)
    else
      loop { answer(handler, @client.next) }
    end

    private

    def answer(handler, request)
      $_global_aws_request_id = request['Lambda-Runtime-Aws-Request-Id']
      ENV['_X_AMZN_TRACE_ID'] = request['Lambda-Runtime-Trace-Id']
      event = AwsLambda::Marshaller.marshall_request(request)
      answer, type = handler.call_handler(request: event, context: LambdaContext.new(request))
      answer = answer.read if type == 'application/unknown'
      @client.respond($_global_aws_request_id, answer, type || 'application/json')
    rescue Failure => e
      fail(e, e.ends? ? 'Critical exception from handler' : 'Error raised from handler method')
    rescue StandardError => e # of a Marshaller
      fail(Failure.new(e, classification: 'Runtime', ends: true), 'Critical exception from handler')
    end

    def fail(failure, message)
      Logs.error(failure, message)
      @client.fail($_global_aws_request_id, failure.document.to_json, failure.reported_type, failure.cause_for_xray)
      return unless failure.ends?

      @client.flush
      exit!(FATAL_STATUS)
    end
  end
end

$stdout.sync = true
Cumulo::Logs.install
begin
  Cumulo::Runner.new(Cumulo::RuntimeClient.new(ENV['AWS_LAMBDA_RUNTIME_API'])).run(ENV['_HANDLER'])
rescue Cumulo::Gone
  exit!(0)
end
