"""Requests made from routes' own types, and the prober that puts another business's ids into each place of them."""
