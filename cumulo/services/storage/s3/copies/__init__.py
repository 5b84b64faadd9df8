"""Objects made of objects: copies, renames, and bytes sealed anew."""
