"""The web process: API, dashboard, sign-in. Reads the ledger, writes commands; never holds the API secret."""
