"""The kernel's own routes, by what they speak of."""
