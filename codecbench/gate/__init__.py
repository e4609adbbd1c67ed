"""The regression gate: has a codec got worse between two runs?"""
