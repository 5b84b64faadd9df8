"""The errors of Amazon DynamoDB with AWS's texts.

Codes are error shapes of the model; ValidationException is the one that it lacks. Sources: Amazon DynamoDB Developer
Guide, "Error handling with DynamoDB"; the API reference's error lists; answers seen from AWS where a text is not
documented.
"""

from cumulo.core.errors import Error

VALIDATION = Error("ValidationException", status=400)

# Operations on items do not say which table; those on tables do. Both as AWS answers them.
RESOURCE_NOT_FOUND = Error("ResourceNotFoundException", "Requested resource not found")
TABLE_NOT_FOUND = Error("ResourceNotFoundException", "Requested resource not found: Table: {name} not found")

TABLE_ALREADY_EXISTS = Error("ResourceInUseException", "Table already exists: {name}")
RESOURCE_IN_USE = Error("ResourceInUseException")
TABLE_NOT_ACTIVE = Error(
    "ResourceInUseException", "Attempt to change a resource which is still in use: Table is being {change}: {name}"
)
LIMIT_EXCEEDED = Error("LimitExceededException")

CONDITIONAL_CHECK_FAILED = Error("ConditionalCheckFailedException", "The conditional request failed")
ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED = Error("ItemCollectionSizeLimitExceededException", "Collection size exceeded.")
PROVISIONED_THROUGHPUT_EXCEEDED = Error(
    "ProvisionedThroughputExceededException",
    "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
    "provisioning level with the UpdateTable API.",
)
THROTTLING = Error("ThrottlingException")
TRANSACTION_CANCELED = Error("TransactionCanceledException")
TRANSACTION_CONFLICT = Error("TransactionConflictException", "Transaction is ongoing for the item")
TRANSACTION_IN_PROGRESS = Error("TransactionInProgressException")
IDEMPOTENT_PARAMETER_MISMATCH = Error("IdempotentParameterMismatchException")
DUPLICATE_ITEM = Error("DuplicateItemException", "Duplicate primary key exists in table")
POLICY_NOT_FOUND = Error(
    "PolicyNotFoundException", "Resource-based policy not found for the provided ResourceArn: {arn}"
)
POLICY_LOCKS_OUT = Error(
    "AccessDeniedException",
    "The new resource policy will not allow you to update the resource policy in the future.",
    status=400,
)
KMS_ACCESS_DENIED = Error("AccessDeniedException", status=400)

# Backups, point-in-time recovery, restores, exports and imports have words of their own for a table that is not there.
BACKUP_TABLE_NOT_FOUND = Error("TableNotFoundException", "Table not found: {name}")
TARGET_EXISTS = Error("TableAlreadyExistsException", "Table already exists: {name}")
TARGET_IN_USE = Error("TableInUseException")
BACKUP_NOT_FOUND = Error("BackupNotFoundException", "Backup not found: {arn}")
BACKUP_IN_USE = Error("BackupInUseException", "Backup is being used to restore another table: {arn}")
RECOVERY_UNAVAILABLE = Error(
    "PointInTimeRecoveryUnavailableException", "Point in time recovery is not enabled for table '{name}'"
)
INVALID_RESTORE_TIME = Error("InvalidRestoreTimeException")
EXPORT_NOT_FOUND = Error("ExportNotFoundException", "Export not found: Export not found: {arn}")
EXPORT_CONFLICT = Error(
    "ExportConflictException", "Export conflict: Duplicate request detected with conflicting parameters"
)
INVALID_EXPORT_TIME = Error("InvalidExportTimeException")
IMPORT_NOT_FOUND = Error("ImportNotFoundException", "Import not found: {arn}")
IMPORT_CONFLICT = Error(
    "ImportConflictException", "Import conflict: Duplicate request detected with conflicting parameters"
)
