"""What a business brings to its accounts."""
