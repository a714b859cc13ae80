"""Who may do what: identities, roles, tokens, sessions, and the decision NGINX asks for before every request."""
