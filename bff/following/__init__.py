"""Following an order: waiting for the end of its saga, and its event stream."""
