"""Requests through Object Lambda access points: a function's answer in the place of the object."""
