"""How every function runs: batches, one transaction each, effects exactly once."""
