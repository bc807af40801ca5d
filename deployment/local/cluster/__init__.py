"""The profile `cluster`: several nodes of each kind, with TLS, tokens and authorization, as in production."""
