"""Static web pages of runs: leaderboard, plots, players and listening tests."""
