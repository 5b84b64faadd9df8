"""Resource policies of functions, by statement and whole, and what functions' roles may do."""
