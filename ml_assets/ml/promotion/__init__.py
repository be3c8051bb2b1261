"""Challenger against champion: the gate, the ledger's meaning, the model card."""
