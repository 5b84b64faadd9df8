"""What S3 and S3 Control both know, as neither imports the other."""
