"""`python -m spikinggamma` is the command `spikinggamma`."""

from spikinggamma.cli import main

main()
