"""What a table is: its record, names, keys, indexes and capacity, where its items lie, and who may use it."""
