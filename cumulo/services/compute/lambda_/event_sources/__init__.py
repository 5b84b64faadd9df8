"""Queues and streams that Lambda reads for functions: event source mappings, their pollers and their batches."""
