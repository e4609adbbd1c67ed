"""Figures of runs: vector PDF or PNG, colour-blind-safe and readable in grey."""
