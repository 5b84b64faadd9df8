"""IAM policies: parsing, compiling, deciding."""
