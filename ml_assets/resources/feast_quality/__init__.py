"""Feast's data-quality hook on Great Expectations 1.x: saved datasets as references that later rows are held against.

Feast 0.67 ships a profiler that needs a Great Expectations below 1 and keeps Python code as a pickle in its registry.
`profile` is what stands in its place; `references` saves a training set and validates rows against it, through Feast.
"""
