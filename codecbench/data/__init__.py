"""Getting corpora from their publishers and checking what is there."""
