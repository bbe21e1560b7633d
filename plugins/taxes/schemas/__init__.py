"""What taxes speak of: the values of the rules, region packs, and what travels."""
