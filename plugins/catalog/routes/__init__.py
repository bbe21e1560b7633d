"""The REST API of catalog: goods with what sorts and names them, and their prices."""
