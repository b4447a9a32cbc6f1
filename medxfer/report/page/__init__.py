"""The page: sections in order, HTML, and the files of a report."""
