"""Log groups and their streams: the records, how they are found and made, their keys and tags, and who may use them."""
