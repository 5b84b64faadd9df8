"""Lambda execution environments: processes that speak the Runtime, Extensions and Telemetry APIs.

`builds` says what an environment is made of and what an invocation and its outcome are; `environments` starts them.
Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
"""
