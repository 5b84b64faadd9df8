"""What is there for browsers: CORS, websites, the policies of upload forms."""
