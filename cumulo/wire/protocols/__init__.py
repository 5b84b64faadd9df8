"""The wire protocols of AWS, one module each."""
