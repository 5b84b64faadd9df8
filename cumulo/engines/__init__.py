"""Real programs and libraries that do the work of services; they know no words of AWS.

Each can say whether it is here, and what installs it.
"""
