"""Processes and files of WebJobs. Knows no Django and no database."""
