"""DAX's errors. Source of the names: the API reference; of the texts, where AWS's are not known, ours."""

from __future__ import annotations

from cumulo.core.errors import Error

CLUSTER_EXISTS = Error("ClusterAlreadyExistsFault", "Cluster {name} already exists")
CLUSTER_NOT_FOUND = Error("ClusterNotFoundFault", "Cluster {name} not found.")
CLUSTER_QUOTA = Error("ClusterQuotaForCustomerExceededFault", "You have reached the limit of {quota} clusters.")
CLUSTER_STATE = Error("InvalidClusterStateFault", "Cluster {name} is not in available state; it is {status}.")
INVALID_ARN = Error("InvalidARNFault", "{arn} is not a valid DAX cluster ARN.")
INVALID_COMBINATION = Error("InvalidParameterCombinationException")
INVALID_TAG = Error("InvalidParameterValueException", "A tag breaks the rules for keys and values.")
INVALID_VALUE = Error("InvalidParameterValueException")
NODE_NOT_FOUND = Error("NodeNotFoundFault", "Node {name} not found.")
NODE_QUOTA = Error(
    "NodeQuotaForClusterExceededFault", "A cluster has at most {quota} nodes: one primary and ten read replicas."
)
PARAMETER_GROUP_EXISTS = Error("ParameterGroupAlreadyExistsFault", "ParameterGroup {name} already exists.")
PARAMETER_GROUP_NOT_FOUND = Error("ParameterGroupNotFoundFault", "ParameterGroup {name} not found.")
PARAMETER_GROUP_QUOTA = Error(
    "ParameterGroupQuotaExceededFault", "You have reached the limit of {quota} parameter groups."
)
PARAMETER_GROUP_STATE = Error("InvalidParameterGroupStateFault")
SUBNET_GROUP_NOT_FOUND = Error("SubnetGroupNotFoundFault", "Subnet group {name} not found.")
TAG_NOT_FOUND = Error("TagNotFoundFault", "Tag {key} not found.")
TAG_QUOTA = Error("TagQuotaPerResourceExceeded", "You have exceeded the maximum number of tags for this cluster.")
