"""Global tables: a table's other regions, and how a table is described."""
