"""One file per external system; each returns plain data, tables or paths."""
