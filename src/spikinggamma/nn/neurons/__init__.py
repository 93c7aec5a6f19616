"""Neurons: one file each."""
