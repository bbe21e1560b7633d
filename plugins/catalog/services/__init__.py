"""The use cases of catalog: the tree of categories, brands, products with their packs and barcodes, look-ups."""
