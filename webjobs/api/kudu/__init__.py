"""Kudu's API of one slot: what publishers, scripts and webhooks call."""
