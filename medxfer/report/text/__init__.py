"""What a report says in sentences and tables."""
