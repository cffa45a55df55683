"""Who may do what: bearer tokens with scopes, one-time links, browser sessions, and limits on trying."""
