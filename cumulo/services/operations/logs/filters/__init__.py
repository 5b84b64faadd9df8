"""What follows when events come: metric and subscription filters, metrics in messages, policies of accounts."""
