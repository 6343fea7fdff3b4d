"""``python -m lpsnmr``: the same as the command ``lpsnmr``."""

from lpsnmr.cli.main import run

if __name__ == "__main__":
    run()
