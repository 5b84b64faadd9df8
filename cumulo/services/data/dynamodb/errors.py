"""The errors of DynamoDB with AWS's texts."""

from cumulo.core.errors import Error

VALIDATION = Error("ValidationException")
