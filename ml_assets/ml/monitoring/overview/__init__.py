"""The page of a problem: `data` is what it shows, `page` puts it together, `front` is the page over all problems.

Pure: from plain values to HTML, the same bytes for the same values, nothing fetched from anywhere.
"""
