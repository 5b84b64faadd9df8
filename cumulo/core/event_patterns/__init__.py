"""Event patterns: what EventBridge, Lambda's event filters and SNS's filter policies understand."""

from cumulo.core.event_patterns.grammar import EventPattern, PatternError, compile_pattern

__all__ = ["EventPattern", "PatternError", "compile_pattern"]
