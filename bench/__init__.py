"""How fast the product is, measured against its physical limits: `python -m bench`. See README.md beside this file."""
