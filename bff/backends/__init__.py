"""What the BFF depends on: the broker that it publishes to, and the read models that it reads."""
