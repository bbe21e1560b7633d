"""Products, categories, brands, units, barcodes and price lists: what a shop can sell."""
