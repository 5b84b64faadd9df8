"""CloudWatch's errors, in its own words.

Sources: the API reference's error lists, and answers seen from AWS where a text is not documented.
"""

from cumulo.core.errors import Error

INVALID_VALUE = Error("InvalidParameterValue", "The value {value} for parameter {name} is invalid.")
INVALID_COMBINATION = Error("InvalidParameterCombination")
MISSING_PARAMETER = Error("MissingParameter", "The parameter {name} is required.")

NEITHER = "At least one of the parameters {one} and {other} must be specified."
BOTH = "The parameters {one} and {other} are mutually exclusive and you have specified both."
TOO_MANY_POINTS = (
    "You have requested up to {count} datapoints, which exceeds the limit of 1440. You may reduce the datapoints "
    "requested by increasing Period, or decreasing the time range."
)
TIMES_EQUAL = "The parameter StartTime must not equal parameter EndTime."
TIMES_REVERSED = "The parameter StartTime must be less than the parameter EndTime."
OTHER_PARAMETERS = "Parameters do not match original request parameters"
VALIDATION_ERROR = Error("ValidationError")
INVALID_NEXT_TOKEN = Error("InvalidNextToken", "The next token is not valid.")
RESOURCE_NOT_FOUND = Error("ResourceNotFoundException")
RULE_LIMIT_EXCEEDED = Error("LimitExceededException", "You have reached the limit of Contributor Insights rules.")
