"""What sales speaks of: the values that rules price, and what requests ask and answers say."""
