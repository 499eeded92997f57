"""Money: what things cost, what a tenant may spend, what it spent, and what it will have spent at the month's end."""
