"""Fixtures of every test below."""

pytest_plugins = ["kernel.testing.fixtures"]
