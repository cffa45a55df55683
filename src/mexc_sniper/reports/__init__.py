"""What the ledger tells when it is read as a whole: latencies, money, hit rates, and tables to take along."""
