"""What one worker does: it executes runs and supervises the continuous WebJobs of its instance."""
