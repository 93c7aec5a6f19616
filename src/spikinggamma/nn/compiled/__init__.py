"""Compiled neurons and delays over whole sequences."""
