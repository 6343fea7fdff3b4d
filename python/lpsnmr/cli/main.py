"""Entry point ``lpsnmr``: a group whose commands are imported only when they are called."""

import importlib
import logging
import sys

import click

from lpsnmr.errors import LpsnmrError, did_you_mean
from lpsnmr.version import __version__

logger = logging.getLogger(__name__)

COMMANDS = {
    "structures": ("structures", "Make Li3PS4 crystals, strained, disordered and amorphous cells."),
    "label": ("label", "Label structures with energies, forces, stresses and EFG tensors (GPAW)."),
    "merge-labels": ("merge_labels", "Grow a reference set by labelled frames; write its data card."),
    "add-terms": ("add_terms", "Add dispersion (D4, D3(BJ)) and other terms to labelled frames."),
    "learn": ("learn", "Active learning: sample, select, label, refit, report."),
    "fit-ufp": ("fit_ufp", "Fit an ultra-fast potential (UF2+3) to reference data."),
    "validate-ufp": ("validate_ufp", "Validate a potential: errors, crystals, MD stability, diffusion."),
    "fit-efg": ("fit_efg", "Fit an equivariant EFG model to reference tensors."),
    "efg": ("efg", "Predict EFG tensors for structures."),
    "run": ("run", "Run MD with LAMMPS and correlate the EFG of every Li on the way."),
    "stream": ("stream", "Follow dump files of a running LAMMPS and correlate on the way."),
    "watch": ("watch", "Live view of a run or stream: rate, time left, temperature, decay time so far."),
    "models": ("models", "List the potentials and EFG models that come with the package."),
    "analyze": ("analyze", "NMR decay, diffusion and jump rates from a results file."),
    "predict": ("predict", "Echoes, T1 and lines of a jump network at any temperature and field."),
}
"""Command name: (module in lpsnmr.cli, one-line help)."""


class LazyGroup(click.Group):
    """A click group that loads a command's module on first use, so that ``--help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the work, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import ``lpsnmr.cli.<module>`` and return its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"lpsnmr.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown one name what is spelled alike."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with their one-line helps without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="lpsnmr")
@click.option("-v", "--verbose", is_flag=True, help="Log details to standard error.")
def group(verbose: bool) -> None:
    """From a crystal structure to the solid-state NMR observables of moving lithium."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def run() -> None:
    """Run the command line; an ``LpsnmrError`` becomes one line on stderr and exit status 2.

    So does what the system says of a file that cannot be read or written.
    """
    try:
        group(prog_name="lpsnmr")
    except (LpsnmrError, OSError) as error:
        logger.info("where it happened", exc_info=True)
        click.echo(f"lpsnmr: error: {error}", err=True)
        sys.exit(2)
