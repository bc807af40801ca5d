"""Shows the messages of topics as they come. See listen_cli.py."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))  # for functions.comun
    try:
        from listen_cli import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
