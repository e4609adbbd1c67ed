"""Tables of a run in several formats."""
