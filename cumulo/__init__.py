"""cumulo: a whole AWS-compatible cloud on your own machine."""

__version__ = "0.1.0"
