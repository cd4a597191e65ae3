"""``python -m api.cli`` is ``fgw``."""

from api.cli import main

main()
