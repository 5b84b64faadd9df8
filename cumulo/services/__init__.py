"""The AWS services, in families; each package is named as botocore names the service."""
