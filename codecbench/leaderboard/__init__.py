"""Leaderboards: definitions in TOML, results as committed run folders, generated pages."""
