"""AWS Secrets Manager: secrets, their versions, replicas, rotation and policies."""
