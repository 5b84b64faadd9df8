"""Amazon Simple Storage Service: buckets, objects, their versions and their rights."""
