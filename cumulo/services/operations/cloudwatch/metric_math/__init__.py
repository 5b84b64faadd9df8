"""The language of metric math: tokens, grammar, values and functions. It knows nothing of where series come from.

Source: CloudWatch User Guide, "Using math expressions with CloudWatch metrics".
"""
