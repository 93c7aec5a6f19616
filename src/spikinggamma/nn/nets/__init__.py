"""Nets made of layers."""
