"""The hyper-parameter search over trainings: what is tried next, what is kept, what it looks like."""
