"""The architecture of a stack as a picture, read from its template."""
