"""Ultra-fast potentials (UF2+3): evaluate, fit, write."""
