"""The expression language: conditions, key conditions, updates, projections."""
