"""The HTTP API: commands are published to Pulsar, queries are answered from the read models; it stores nothing."""
