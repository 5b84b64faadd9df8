"""What is stored, and how: the versions of objects, their bytes, annotations, and the configurations of buckets."""
