"""The pure rules of promotions: states, figures, when they are for a cart, and what they take off it."""
