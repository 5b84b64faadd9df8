"""IAM policies: parsing, compiling, deciding.

`authorization.authorize` is the question that dispatch and services ask; `documents.parse` is how a service
checks a policy that it is given; `decision` holds the evaluation logic.
"""
