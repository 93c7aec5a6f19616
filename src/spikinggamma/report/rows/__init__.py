"""Reading and grouping of result rows."""
