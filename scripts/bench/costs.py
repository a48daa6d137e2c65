"""What a process costs, by the kernel's own books."""
from pathlib import Path


def pss(pid: int) -> float:
    """Memory in MB: its own pages, and its share of those that several processes map (proportional set size)."""
    return pss_in(Path(f"/proc/{pid}/smaps_rollup").read_text())


def pss_in(smaps_rollup: str) -> float:
    """The same, of a process whose file was read elsewhere (proc(5))."""
    return next(int(line.split()[1]) for line in smaps_rollup.splitlines() if line.startswith("Pss:")) / 1024


def cpu_seconds(pid: int) -> float:
    """Time on a processor of all its threads, to the nanosecond (Documentation/scheduler/sched-stats.rst)."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9
