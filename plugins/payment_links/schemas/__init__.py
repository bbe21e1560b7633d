"""What travels in and out, what a payer is shown, and what a business decides about links."""
