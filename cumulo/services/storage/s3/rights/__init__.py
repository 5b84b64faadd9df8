"""Whether a caller may do what is asked: everything else asks `access` here, and nowhere else."""
