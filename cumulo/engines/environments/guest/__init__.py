"""What runs inside an environment, under the function's own interpreter: the standard library of Python 3.9 only."""
