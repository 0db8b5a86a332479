"""The OpenAPI 3.1 document of all of the API: data, put together once."""
