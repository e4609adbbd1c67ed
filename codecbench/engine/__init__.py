"""The engine: plan, shards, execute, store."""
