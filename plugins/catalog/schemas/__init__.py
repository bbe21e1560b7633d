"""What travels: goods with what sorts and names them, and their prices."""
