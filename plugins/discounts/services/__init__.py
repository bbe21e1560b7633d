"""The use cases of promotions and coupons."""
