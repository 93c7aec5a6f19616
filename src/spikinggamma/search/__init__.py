"""Hyper-parameter search."""

from spikinggamma.search.search import SearchResult, search, search_summary

__all__ = ["SearchResult", "search", "search_summary"]
