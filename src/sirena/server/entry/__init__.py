"""The entry, NGINX in front of all parts: configuration, reload, TLS certificate, logs."""
