"""Where clients of Azure sign in: a directory with one tenant and API tokens as secrets."""
