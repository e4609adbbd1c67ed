"""The run folder: its schema, manifest and queries."""
