"""``python -m mexc_sim``."""

import sys

from mexc_sim.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
