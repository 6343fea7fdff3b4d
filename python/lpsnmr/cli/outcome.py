"""What ``run`` and ``stream`` print at their end."""

import click

from lpsnmr.errors import LpsnmrError
from lpsnmr.results import Results
from lpsnmr.runs.session import RunOutcome

__all__ = ["EXIT_STOPPED", "report_outcome"]

EXIT_STOPPED = 3
"""Exit status of a run that a signal ended early, with a checkpoint."""


def report_outcome(outcome: RunOutcome, analyze: bool) -> None:
    """Print how it ended, the result files and, when there is enough, the summary of the analysis."""
    from lpsnmr.analysis import analyze_file
    from lpsnmr.report.analysis_files import write_analysis
    from lpsnmr.report.text import summary_lines

    click.echo(f"{outcome.reason}: {outcome.n_samples} samples")
    if outcome.n_samples == 0:
        return
    folder = outcome.results.parent
    counts = Results.read(outcome.results).statistics
    outside, total = counts["efg_outside_training_range"], counts["efg_predictions"]
    if outside:
        share = 100.0 * outside / total
        click.echo(f"{share:.2g} % of the EFG predictions are outside the range of the model's training data")
    if analyze:
        try:
            analysis = analyze_file(outcome.results)
            written = write_analysis(analysis, folder / "analysis")
        except LpsnmrError as error:
            click.echo(f"no analysis yet: {error}", err=True)
        else:
            for line in summary_lines(analysis, written):
                click.echo(line)
    for path in (outcome.results, folder / "thermo.csv"):
        if path.exists():
            click.echo(f"  wrote {path}")
