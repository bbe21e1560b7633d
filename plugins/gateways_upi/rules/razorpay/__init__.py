"""What Razorpay says and wants to hear, as pure functions."""
