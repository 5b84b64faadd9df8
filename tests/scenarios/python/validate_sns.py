"""Reads a JSON list of SNS messages; prints a JSON list with "" for each good one and the reason for each other."""

import json
import sys

from sns_message_validator import SNSMessageValidator

validator = SNSMessageValidator()
verdicts = []
for message in json.load(sys.stdin):
    try:
        validator.validate_message(message)
        verdicts.append("")
    except Exception as error:
        verdicts.append(repr(error))
print(json.dumps(verdicts))
