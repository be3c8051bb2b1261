"""From what was delivered to what lands: types, cleaning, contracts."""
