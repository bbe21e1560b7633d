"""What clients send and are answered."""
