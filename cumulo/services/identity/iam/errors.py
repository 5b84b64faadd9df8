"""IAM's errors, in its own words. Codes and statuses come from the model ("Errors" of each API page)."""

from cumulo.core.errors import Error

VALIDATION_ERROR = Error("ValidationError", status=400)
INVALID_INPUT = Error("InvalidInputException")
LIMIT_EXCEEDED = Error("LimitExceededException", "Cannot exceed quota for {quota}: {limit}")
NO_SUCH_ENTITY = Error("NoSuchEntityException")
ENTITY_ALREADY_EXISTS = Error("EntityAlreadyExistsException")
DELETE_CONFLICT = Error("DeleteConflictException")
UNMODIFIABLE = Error(
    "UnmodifiableEntityException",
    "Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS",
)

NO_USER = Error("NoSuchEntityException", "The user with name {name} cannot be found.")
NO_GROUP = Error("NoSuchEntityException", "The group with name {name} cannot be found.")
NO_ROLE = Error("NoSuchEntityException", "The role with name {name} cannot be found.")
NO_POLICY = Error("NoSuchEntityException", "Policy {arn} was not found.")
NOT_ATTACHABLE = Error("NoSuchEntityException", "Policy {arn} does not exist or is not attachable.")
NO_POLICY_VERSION = Error(
    "NoSuchEntityException", "Policy {arn} version {version} does not exist or is not attachable."
)
NO_INLINE_POLICY = Error("NoSuchEntityException", "The {kind} policy with name {name} cannot be found.")
NO_INSTANCE_PROFILE = Error("NoSuchEntityException", "Instance Profile {name} cannot be found.")
NO_ACCESS_KEY = Error("NoSuchEntityException", "The Access Key with id {id} cannot be found.")

USER_EXISTS = Error("EntityAlreadyExistsException", "User with name {name} already exists.")
GROUP_EXISTS = Error("EntityAlreadyExistsException", "Group with name {name} already exists.")
ROLE_EXISTS = Error("EntityAlreadyExistsException", "Role with name {name} already exists.")
POLICY_EXISTS = Error(
    "EntityAlreadyExistsException", "A policy called {name} already exists. Duplicate names are not allowed."
)
INSTANCE_PROFILE_EXISTS = Error("EntityAlreadyExistsException", "Instance Profile {name} already exists.")

HAS_MEMBERS = Error("DeleteConflictException", "Cannot delete entity, must remove users from group first.")
HAS_ATTACHMENTS = Error("DeleteConflictException", "Cannot delete entity, must detach all policies first.")
HAS_INLINE_POLICIES = Error("DeleteConflictException", "Cannot delete entity, must delete policies first.")
HAS_ACCESS_KEYS = Error("DeleteConflictException", "Cannot delete entity, must delete access keys first.")
HAS_INSTANCE_PROFILES = Error(
    "DeleteConflictException", "Cannot delete entity, must remove roles from instance profile first."
)
POLICY_ATTACHED = Error("DeleteConflictException", "Cannot delete a policy attached to entities.")
POLICY_HAS_VERSIONS = Error(
    "DeleteConflictException",
    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. "
    "The default version is deleted with the policy.",
)
DEFAULT_VERSION = Error("DeleteConflictException", "Cannot delete the default version of a policy.")
TOO_MANY_VERSIONS = Error(
    "LimitExceededException",
    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
)

BAD_ARN = Error("ValidationError", "Invalid ARN:  Could not be parsed!", status=400)  # two blanks, as AWS writes it
BAD_MARKER = Error("ValidationError", "Invalid Marker.", status=400)
NEEDS_USER_NAME = Error("ValidationError", "Must specify userName when calling with non-User credentials", status=400)
DUPLICATE_TAGS = Error(
    "InvalidInputException", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
)
SYSTEM_TAGS = Error("InvalidInputException", "System tags cannot be added/updated/removed by requester")
