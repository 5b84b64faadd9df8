"""Who hears of the answers to a bucket's requests: access logs and request metrics."""
