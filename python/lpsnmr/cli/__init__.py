"""Command line of lpsnmr. Thin files over the library, one a command; nothing imports them."""
