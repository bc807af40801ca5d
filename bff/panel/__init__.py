"""The panel: the page with its files, and the broker's figures that it shows."""
