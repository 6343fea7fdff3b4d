"""``lpsnmr models``: the potentials and EFG models that come with the package."""

import click
from rich.console import Console
from rich.table import Table

__all__ = ["command"]

KINDS = {
    ".uf3": "potential",
    ".ufd": "density terms of the potential of the same name",
    ".ufx": "for compute ufp/extrapolation of the potential of the same name",
    ".efg": "EFG model",
}


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="In a deck:\n\n\b\npair_style ufp 3\npair_coeff * * lps.uf3 lps.ufd Li P S\n"
    "compute efg all efg/atom li3ps4_pbe.efg Li P S",
)
@click.option("--paths", is_flag=True, help="Print the paths alone, one a line.")
def command(paths: bool) -> None:
    """List the shipped models, which are found by their names alone.

    In a configuration (potential.file, efg.model), in options and in any LAMMPS deck a name without a folder
    that is not in the current one means the shipped file.
    """
    from lpsnmr.data.shipped import shipped_models
    from lpsnmr.files.hashing import sha256_of

    models = shipped_models()
    if paths:
        for path in models:
            click.echo(path)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "what", "SHA-256"):
        table.add_column(heading, no_wrap=heading != "what")
    for path in models:
        table.add_row(path.name, KINDS[path.suffix], sha256_of(path)[:12])
    Console(highlight=False).print(table)
    defaults = {"potential.file": "lps.uf3 with lps.ufd", "efg.model": "li3ps4_pbe.efg"}
    for key, name in defaults.items():
        click.echo(f'{key} = "default" is {name}')
    click.echo(f"folder: {models[0].parent}")
