"""Feature rows: computed, joined as of a moment, traced to their sources, and held against knowledge time."""
