"""What catalog decides by itself: barcodes, words, units; which price is in force."""
