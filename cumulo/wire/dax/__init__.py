"""What clients of DynamoDB Accelerator (DAX) speak: calls in CBOR over one lasting connection.

Source: the protocol as Amazon's own client for Python speaks it (`amazon-dax-client`, Apache-2.0); AWS does not
describe it elsewhere.
"""
