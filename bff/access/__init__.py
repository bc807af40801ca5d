"""Who may do what: bearer tokens, the keys that verify them, scopes, rate limits, and the server's own certificate."""
