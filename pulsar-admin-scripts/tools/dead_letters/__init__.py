"""Dead letters: list, show, redrive, discard."""
