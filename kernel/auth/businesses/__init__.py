"""Businesses as such: made, switched, suspended; and how people are asked into one."""
