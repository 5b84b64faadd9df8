"""The errors of S3 Select: what is wrong with an expression, a serialization or the data.

Source: S3 API Reference, "List of SELECT Object Content Error Codes".
"""

from cumulo.core.errors import Error

# Of expressions.
LEXER_INVALID_CHAR = Error("LexerInvalidChar", "The SQL expression contains an invalid character.")
LEXER_INVALID_LITERAL = Error("LexerInvalidLiteral", "The SQL expression contains an invalid literal.")
EXPECTED_KEYWORD = Error("ParseExpectedKeyword", "Did not find the expected keyword in the SQL expression.")
EXPECTED_TOKEN = Error("ParseExpectedTokenType", "Did not find the expected token in the SQL expression.")
EXPECTED_NUMBER = Error("ParseExpectedNumber", "Did not find the expected number in the SQL expression.")
EXPECTED_DATE_PART = Error("ParseExpectedDatePart", "Did not find the expected date part in the SQL expression.")
EXPECTED_TYPE = Error("ParseExpectedTypeName", "Did not find the expected type name in the SQL expression.")
EXPECTED_EXPRESSION = Error("ParseExpectedExpression", "Did not find the expected SQL expression.")
EXPECTED_WHEN = Error(
    "ParseExpectedWhenClause", "Did not find the expected WHEN clause in the SQL expression. CASE is not supported."
)
EXPECTED_ALIAS = Error(
    "ParseExpectedIdentForAlias", "Did not find the expected identifier for the alias in the SQL expression."
)
EXPECTED_RIGHT_PAREN = Error(
    "ParseExpectedRightParenBuiltinFunctionCall",
    "Did not find the expected right parenthesis character in the SQL expression.",
)
EMPTY_SELECT = Error("ParseEmptySelect", "The SQL expression contains an empty SELECT.")
MISSING_FROM = Error("ParseSelectMissingFrom", "The SQL expression contains a missing FROM after SELECT list.")
UNEXPECTED_TOKEN = Error("ParseUnexpectedToken", "The SQL expression contains an unexpected token.")
UNEXPECTED_KEYWORD = Error("ParseUnexpectedKeyword", "The SQL expression contains an unexpected keyword.")
INVALID_PATH = Error("ParseInvalidPathComponent", "The SQL expression contains an invalid path component.")
INVALID_TYPE_PARAMETER = Error("ParseInvalidTypeParam", "The SQL expression contains an invalid parameter value.")
STAR_NOT_ALONE = Error(
    "ParseAsteriskIsNotAloneInSelectList",
    "Other expressions are not allowed in the SELECT list when '*' is used without dot notation in the SQL expression.",
)
CALL_WITH_STAR = Error(
    "ParseUnsupportedCallWithStar", "Only COUNT with (*) as a parameter is supported in the SQL expression."
)
AGGREGATE_ARITY = Error(
    "ParseNonUnaryAgregateFunctionCall",
    "Only one argument is supported for aggregate functions in the SQL expression.",
)
MALFORMED_JOIN = Error("ParseMalformedJoin", "JOIN is not supported in the SQL expression.")
UNSUPPORTED_GROUP_BY = Error(
    "ParseUnsupportedLiteralsGroupBy", "The SQL expression contains an unsupported use of GROUP BY."
)
UNSUPPORTED_SELECT = Error("ParseUnsupportedSelect", "The SQL expression contains an unsupported use of SELECT.")
UNSUPPORTED_FUNCTION = Error("UnsupportedFunction", "Encountered an unsupported SQL function.")
UNSUPPORTED_STRUCTURE = Error(
    "UnsupportedSqlStructure", "Encountered an unsupported SQL structure. Check the SQL Reference."
)
EXPRESSION_TOO_LONG = Error(
    "ExpressionTooLong", "The SQL expression is too long: The maximum byte-length for the SQL expression is 256 KB."
)
ARGUMENT_COUNT = Error(
    "EvaluatorInvalidArguments", "Incorrect number of arguments in the function call in the SQL expression."
)
ARGUMENT_TYPE = Error(
    "IncorrectSqlFunctionArgumentType", "Incorrect type of arguments in function call in the SQL expression."
)
LIKE_INPUTS = Error("LikeInvalidInputs", "Invalid argument given to the LIKE clause in the SQL expression.")
NO_BINDING = Error(
    "EvaluatorBindingDoesNotExist", "A column name or a path provided does not exist in the SQL expression"
)
INVALID_DATA_SOURCE_PATH = Error(
    "InvalidDataSource", "Invalid data source type. Only CSV, JSON, and Parquet are supported."
)
INVALID_COLUMN_INDEX = Error(
    "InvalidColumnIndex", "The column index is invalid. Please check the service documentation and try again."
)
MISSING_HEADERS = Error(
    "MissingHeaders", "Some headers in the query are missing from the file. Check the file and try again."
)
CAST_FAILED = Error(
    "CastFailed", "Attempt to convert from one data type to another using CAST failed in the SQL expression."
)
TIMESTAMP_FAILURE = Error("ValueParseFailure", "Time stamp parse failure in the SQL expression.")
TIMESTAMP_PATTERN = Error(
    "EvaluatorInvalidTimestampFormatPattern", "Invalid time stamp format string in the SQL expression."
)
INTEGER_OVERFLOW = Error("IntegerOverflow", "Int overflow or underflow in the SQL expression.")

# Of requests.
INVALID_EXPRESSION_TYPE = Error(
    "InvalidExpressionType", "The ExpressionType is invalid. Only SQL expressions are supported."
)
INVALID_FILE_HEADER_INFO = Error(
    "InvalidFileHeaderInfo", "The FileHeaderInfo is invalid. Only NONE, USE, and IGNORE are supported."
)
INVALID_JSON_TYPE = Error("InvalidJsonType", "The JsonType is invalid. Only DOCUMENT and LINES are supported.")
INVALID_QUOTE_FIELDS = Error(
    "InvalidQuoteFields", "The QuoteFields is invalid. Only ALWAYS and ASNEEDED are supported."
)
INVALID_COMPRESSION = Error(
    "InvalidCompressionFormat",
    "The file is not in a supported compression format. Only GZIP and BZIP2 are supported.",
)
INVALID_PARAMETER = Error(
    "InvalidRequestParameter",
    "The value of a parameter in SelectRequest element is invalid. Check the service API documentation and try again.",
)
INVALID_SCAN_RANGE = Error("InvalidScanRange", "The value of a parameter in Scan Range element is invalid.")
UNSUPPORTED_SCAN_RANGE = Error("UnsupportedScanRangeInput", "The scan range query is not supported for this input.")
MISSING_PARAMETER = Error(
    "MissingRequiredParameter",
    "The SelectRequest entity is missing a required parameter. Check the service documentation and try again.",
)
SERIALIZATION_CONFLICT = Error(
    "ObjectSerializationConflict",
    "The SelectRequest entity can only contain one of CSV or JSON. Check the service documentation and try again.",
)

# Of data.
CSV_ERROR = Error("CSVParsingError", "Encountered an error parsing the CSV file. Check the file and try again.")
JSON_ERROR = Error("JSONParsingError", "Encountered an error parsing the JSON file. Check the file and try again.")
PARQUET_ERROR = Error(
    "ParquetParsingError", "Encountered an error parsing the Parquet file. Check the file and try again."
)
TRUNCATED_INPUT = Error(
    "TruncatedInput",
    "Object decompression failed. Check that the object is properly compressed using the format specified in the "
    "request.",
)
INVALID_TEXT = Error("InvalidTextEncoding", "Invalid encoding type. Only UTF-8 encoding is supported.")
OVER_MAX_RECORD_SIZE = Error(
    "OverMaxRecordSize",
    "The length of a record in the input or result is greater than maxCharsPerRecord of 1 MB.",
)
NO_ENGINE = Error(
    "NotImplemented", "S3 Select runs on DuckDB, which is not installed: {hint}", status=501, sender=False
)
