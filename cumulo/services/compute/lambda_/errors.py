"""Lambda's errors, in its own words. Source, where nothing else is said: observed in AWS's answers."""

from typing import Any

from cumulo.core.errors import Error, Fault


class UserError(Error):
    """An error of Lambda's own, which carries `Type` beside its text; what the model's checks refuse does not."""

    __slots__ = ()

    def __call__(
        self, message: str | None = None, /, *, members: dict[str, Any] | None = None, **values: object
    ) -> Fault:
        return super().__call__(message, members={"Type": "User", **(members or {})}, **values)


# --- finding ------------------------------------------------------------------------------------

FUNCTION_NOT_FOUND = UserError("ResourceNotFoundException", "Function not found: {arn}")
RESOURCE_NOT_FOUND = UserError("ResourceNotFoundException", "The resource you requested does not exist.")
ALIAS_NOT_FOUND = UserError("ResourceNotFoundException", "Cannot find alias arn: {arn}")
WRONG_REGION = UserError(
    "ResourceNotFoundException", "Functions from '{given}' are not reachable in this region ('{region}')"
)
QUALIFIER_MISMATCH = UserError(
    "InvalidParameterValueException",
    "The derived qualifier from the function name does not match the specified qualifier.",
)
VALIDATION = Error("ValidationException", status=400)
INVALID_PARAMETER = UserError("InvalidParameterValueException")
REVISION_MISMATCH = UserError(
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the {call} API to retrieve the latest "
    "Revision Id",
)

# --- functions ----------------------------------------------------------------------------------

FUNCTION_EXISTS = UserError("ResourceConflictException", "Function already exist: {name}")  # sic
UPDATE_IN_PROGRESS = UserError(
    "ResourceConflictException",
    "The operation cannot be performed at this time. An update is in progress for resource: {arn}",
)
CREATE_IN_PROGRESS = UserError(
    "ResourceConflictException",
    "The operation cannot be performed at this time. The function is currently in the following state: Pending",
)
ROLE_NOT_ASSUMABLE = UserError(
    "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."
)
ROLE_NOT_ASSUMABLE_ANY_MORE = UserError(
    "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", status=403
)
BAD_ZIP = UserError(
    "InvalidParameterValueException",
    "Could not unzip uploaded file. Please check your file, then try to upload again.",
)
UNZIPPED_TOO_LARGE = UserError("InvalidParameterValueException", "Unzipped size must be smaller than {limit} bytes")
ZIPPED_TOO_LARGE = Error("RequestEntityTooLargeException", "Zipped size must be smaller than {limit} bytes", status=413)
REQUEST_TOO_LARGE = Error(
    "RequestEntityTooLargeException",
    "Request must be smaller than {limit} bytes for the {operation} operation",
    status=413,
)
