"""Shows the messages of topics as they come."""
