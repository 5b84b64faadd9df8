"""Events as they are kept: blocks as they came, segments that are made of them, how both are read, and for how long."""
