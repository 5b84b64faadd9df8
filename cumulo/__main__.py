"""`python -m cumulo` is `cumulo`."""

from cumulo.cli import main

main()
