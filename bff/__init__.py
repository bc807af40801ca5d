"""The HTTP entry: commands are published, reads come from the read models, nothing is stored here."""
