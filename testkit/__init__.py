"""What tests, benchmarks and fault experiments share: PostgreSQL, products, running servers, a browser, tools."""
