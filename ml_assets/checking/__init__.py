"""`ml-assets check`: declarations against what is written and against the real data, before anything runs."""
