"""What functions record: metrics and spans."""
