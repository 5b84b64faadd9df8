"""PartiQL as DynamoDB speaks it: SELECT, INSERT, UPDATE and DELETE on one table or index.

Sources: Developer Guide, "PartiQL - a SQL-compatible query language for Amazon DynamoDB"; the PartiQL specification.
Texts: observed in AWS's answers.
"""
