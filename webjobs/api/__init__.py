"""REST: Kudu's API, Azure Resource Manager's, and the tokens that open both."""
