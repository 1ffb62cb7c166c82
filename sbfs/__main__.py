"""`python -m sbfs`."""

from sbfs.cli import main

main()
