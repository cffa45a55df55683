"""``python -m mexc_sniper`` is the same as the command ``mexc-sniper``."""

from mexc_sniper.app.cli import main

main()
