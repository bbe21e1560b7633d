"""A person's own account: what they change, what is mailed to them, how it ends."""
