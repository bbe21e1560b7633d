"""What travels: methods, payments and refunds as requests ask for them, answers show and hooks tell them."""
