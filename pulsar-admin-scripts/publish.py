"""Publishes messages to any topic of ours, once all of them are right. See publish_cli.py."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))  # for functions.comun
    try:
        from publish_cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
