"""Rows of results, read and grouped."""
