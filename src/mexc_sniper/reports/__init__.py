"""What the ledger tells when it is read as a whole: sums over days, and tables to take along."""
