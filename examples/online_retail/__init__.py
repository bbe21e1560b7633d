"""A year of a real shop, replayed through the REST API and compared to the penny."""
