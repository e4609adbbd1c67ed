"""Results of a run, written where people keep results: one file a target."""
