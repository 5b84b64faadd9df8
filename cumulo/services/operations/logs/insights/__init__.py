"""Logs Insights: queries, what they read and leave, saved and scheduled ones, lookup tables and field indexes."""
