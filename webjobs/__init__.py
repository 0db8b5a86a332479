"""The app: WebJobs, their engine and their pages."""

__version__ = "0.1.0"
