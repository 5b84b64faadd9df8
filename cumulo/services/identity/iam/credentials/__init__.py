"""What users sign in and sign requests with, and server certificates."""
