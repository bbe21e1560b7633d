"""What is known of Daraja without calling it: its codes, its bodies, its ways of writing, its passwords."""
