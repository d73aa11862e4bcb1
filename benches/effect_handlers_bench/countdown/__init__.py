"""State: from n down to 0, one `Get` and one `Put` at a time. Each clause answers at once."""
