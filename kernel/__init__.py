"""The kernel: database, sign-in, permissions, hook bus, plugin life cycle. It knows no plugin."""

VERSION = "0.1.0"
