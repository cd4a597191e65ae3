"""Carries notices to people: follows the log of outcomes, puts each into words, and sends it until it has arrived."""
