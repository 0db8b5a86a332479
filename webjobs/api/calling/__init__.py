"""The page that shows how to call a WebJob from elsewhere."""
