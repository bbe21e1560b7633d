"""The gateways for UPI."""
