"""What is printed: the monthly patrol report and the label sheets of tags. Rows come in as arguments; no SQL is done here."""
