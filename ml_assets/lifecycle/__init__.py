"""The commands `ml-assets promote`, `rollback` and `history`. What they do is in `resources/lifecycle.py`."""
