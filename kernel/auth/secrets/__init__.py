"""What is secret: passwords, tokens, codes, and what is kept sealed."""
