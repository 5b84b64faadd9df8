"""What S3 shows to browsers beside its API: websites, upload forms, and answers to pages of other origins."""
