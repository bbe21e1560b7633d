"""What is pure about UPI and its providers."""
