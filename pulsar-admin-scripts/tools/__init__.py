"""What the scripts of this folder do: a room for each, with the same inner shape: cli.py, its model, print.py."""
