"""The parameters that expressions replaced: Expected, AttributeUpdates, KeyConditions, filters, AttributesToGet.

They come to the same conditions, updates and projections as expressions.
"""
