"""What roles let people do, and how it is lent: delegation, approvals, support."""
