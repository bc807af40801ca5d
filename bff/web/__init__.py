"""HTTP: the routes, idempotency keys, and errors as problem documents."""
