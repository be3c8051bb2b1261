"""Telling people: what is said (`content`, `message`), the queue (`outbox`), and how it goes out (`mail`, `push`)."""
