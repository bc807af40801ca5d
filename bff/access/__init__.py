"""Who may do what: bearer tokens, the keys that verify them, scopes, and rate limits."""
