"""NGINX before everything: configuration, reload, logs."""
