"""Events as they are asked for: of one stream, by a pattern, as they come, or exported to a bucket."""
