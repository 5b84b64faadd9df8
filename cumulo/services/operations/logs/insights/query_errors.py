"""Errors of Logs Insights."""

from cumulo.core.errors import Error

NO_ENGINE = Error(
    "NotImplemented", "Logs Insights runs on DuckDB, which is not installed: {hint}", status=501, sender=False
)
MALFORMED_QUERY = Error("MalformedQueryException")
LOOKUP_TABLE_EXISTS = Error("ResourceAlreadyExistsException", "Lookup table '{name}' already exists.")
LOOKUP_TABLE_NOT_FOUND = Error("ResourceNotFoundException", "The specified lookup table does not exist.")
DEFINITION_NOT_FOUND = Error("ResourceNotFoundException", "Query definition with ID {id} does not exist.")
SCHEDULED_QUERY_EXISTS = Error("ConflictException", "A scheduled query with the name {name} already exists.")
SCHEDULED_QUERY_NOT_FOUND = Error("ResourceNotFoundException", "The specified scheduled query does not exist.")
RECORD_NOT_FOUND = Error("ResourceNotFoundException", "The specified log record does not exist.")
