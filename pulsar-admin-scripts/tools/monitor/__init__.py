"""A live view of topics, subscriptions, functions and dead letters."""
