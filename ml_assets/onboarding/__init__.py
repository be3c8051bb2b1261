"""`ml-assets new`: from one flat table to a declaration.

It only reads the table and writes `defs.yaml`; nothing is run.
"""
