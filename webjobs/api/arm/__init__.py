"""Azure Resource Manager's API: what SDKs and `az` call."""
