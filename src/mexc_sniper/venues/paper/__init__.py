"""The paper venue: the dry-run account's orders, filled against the live book by the venue's own rules (FIELD 4.4)."""
