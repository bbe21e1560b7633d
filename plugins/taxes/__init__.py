"""Tax classes, dated rates, region packs and the computation of tax."""
