"""What an account is told of itself: summaries, credential reports, details, access reports."""
