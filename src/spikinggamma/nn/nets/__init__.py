"""Nets built of layers."""
