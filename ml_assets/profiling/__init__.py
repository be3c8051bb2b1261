"""`ml-assets profile`: what a training set or the windows of a feature view look like, and which rules they keep.

What is learned stands in `ml.validation.profiling`; here it is read from the lake, shown as a page, and written as a
file.
"""
