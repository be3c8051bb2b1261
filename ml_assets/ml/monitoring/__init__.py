"""Scored windows against the champion's: drift, verdicts, and what follows from them."""
