"""What was called and used, written down: the journal, the bill, who last used what."""
