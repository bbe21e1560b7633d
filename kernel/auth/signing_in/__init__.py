"""Getting in and staying in: passwords, factors, devices, tills, keys, and the limits on trying."""
