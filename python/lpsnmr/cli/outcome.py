"""What ``run`` and ``stream`` print at their end."""

from pathlib import Path

import click

from lpsnmr.errors import LpsnmrError
from lpsnmr.pipeline.run import RunOutcome

__all__ = ["EXIT_STOPPED", "report_outcome"]

EXIT_STOPPED = 3
"""Exit status of a run that a signal ended early, with a checkpoint."""


def report_outcome(outcome: RunOutcome, analyze: bool) -> None:
    """Print how it ended, the result files and, when there is enough, the summary of the analysis."""
    from lpsnmr.report import analyze_results

    click.echo(f"{outcome.reason}: {outcome.n_samples} samples")
    if outcome.n_samples == 0:
        return
    folder = outcome.results.parent
    if analyze:
        try:
            analysis = analyze_results(outcome.results, folder / "analysis")
        except LpsnmrError as error:
            click.echo(f"no analysis yet: {error}", err=True)
        else:
            for line in analysis.summary_lines():
                click.echo(line)
    click.echo("files:")
    for path in sorted([outcome.results, folder / "thermo.csv", *_files(folder / "analysis")]):
        if path.exists():
            click.echo(f"  {path}")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
