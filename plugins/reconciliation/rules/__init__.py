"""Pure rules of reconciliation: outcomes and decisions, days, files."""
