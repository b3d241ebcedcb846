"""`python -m tests.system_calls`: the sweep by hand, over any selection of cases, calls, errors and points."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import click

from tests.system_calls.sweep import ERRORS, PAIRS, POINTS, SELECTED, Fault, Sweep, unavailable


@click.command()
@click.argument("pairs", nargs=-1, metavar="[CALL[:ERROR]]...")
@click.option("--select", metavar="TERM", multiple=True, default=SELECTED, help="As of `nixio-conformance run`.")
@click.option("--points", metavar="N", default=POINTS, show_default=True, help="How often each call fails.")
@click.option("--workers", metavar="N", default=0, help="As -n of `nixio-conformance run`.")
@click.option("--whole", is_flag=True, help="From the interpreter's start on.")
@click.option("--from", "start", metavar="N", default=0, help="Leave out the first N calls.")
@click.option("-v", "verbose", is_flag=True, help="Print the output of runs that did not end well.")
def main(
    pairs: tuple[str, ...],
    select: tuple[str, ...],
    points: int,
    workers: int,
    whole: bool,
    start: int,
    verbose: bool,
) -> None:
    """Make calls of runs over the reference fail one by one, and print a line for each run."""
    if reason := unavailable():
        sys.exit(reason)
    sweep = Sweep(["reference", f"-n{workers}", *(f"--select={term}" for term in select)], whole)
    wanted = [pair.partition(":")[::2] for pair in pairs]
    chosen = [(call, e) for call, error in wanted for e in ([error] if error else ERRORS[call])] or list(PAIRS)
    faults = [fault for pair in chosen for fault in sweep.faults(*pair, points) if fault.when > start]

    bad = 0
    # One run after the other in each process that forks them: only whole runs overlap.
    with ThreadPoolExecutor(2 if whole else 1) as pool:
        for fault, ended in zip(faults, pool.map(sweep.run, faults), strict=True):
            bad += bool(ended.problems)
            print(_line(fault, sweep, ended.code, ended.seconds, ended.failed, ended.problems), flush=True)
            if verbose and ended.problems:
                print(ended.output[-3000:] + ended.errors[-3000:])
    print(f"{len(faults)} runs, {bad} with problems")
    sys.exit(bool(bad))


def _line(fault: Fault, sweep: Sweep, code: int, seconds: float, failed: bool, problems: list[str]) -> str:
    place = f"{fault.call} {fault.when}/{sweep.calls[fault.call]} {fault.error}"
    return f"{place:36} exit {code} {seconds:5.1f} s{'' if failed else '  (not reached)'}  {'; '.join(problems)}"


if __name__ == "__main__":
    main(prog_name="python -m tests.system_calls")
