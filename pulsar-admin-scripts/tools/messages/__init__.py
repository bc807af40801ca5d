"""Messages as people read and write them: as JSON, as CloudEvents, as samples, and as they are read from topics."""
