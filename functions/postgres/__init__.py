"""PostgreSQL for the engine and the tables: connection, arrays, errors."""
