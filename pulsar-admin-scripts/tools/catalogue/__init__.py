"""The message catalogue: AsyncAPI, the drawing of the topology, an HTML page."""
