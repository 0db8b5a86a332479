"""What the article on background tasks with WebJobs says, chapter by chapter, in our own words.

Most of it is tested at length elsewhere; here each sentence that describes behaviour has one
check, so that it can be seen that none was forgotten.
"""
