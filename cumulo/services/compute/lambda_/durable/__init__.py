"""Durable executions: functions that are run again from their checkpoints until they are done."""
