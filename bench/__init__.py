"""Speed, measured as ratios within one run. `make bench` runs them all and prints one table each."""
