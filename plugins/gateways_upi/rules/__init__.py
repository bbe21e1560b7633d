"""The rules of UPI links and of what providers of UPI say; no framework, no tables."""
