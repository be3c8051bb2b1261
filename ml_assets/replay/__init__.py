"""History replayed under several retraining policies on the same data, beside production and without touching it."""
