"""Registers, carts, prices, checkout and voids: from what lies on the counter to a completed sale."""
