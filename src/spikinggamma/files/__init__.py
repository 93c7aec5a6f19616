"""Atomic writes, JSON files and file locks."""
