"""Declared and learned rules, judged by Great Expectations; what breaks them is set aside."""
