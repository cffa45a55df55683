"""What the ledger's rows add up to over a window: latencies, money, hit rates. Reads the ledger and nothing else."""
