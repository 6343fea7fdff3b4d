"""Tables, plots, pages and files of numbers."""
