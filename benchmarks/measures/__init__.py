"""What is measured, one module each. `CATALOGUE` in catalogue.py has them all."""
