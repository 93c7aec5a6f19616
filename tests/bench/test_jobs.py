"""Commands run a few at a time, each with a log of its own, and end with whoever started them."""

from __future__ import annotations

from pathlib import Path

from spikinggamma.bench.jobs import Job, last_line, run_jobs


def test_jobs_run_at_once_and_are_ended_when_nobody_listens(tmp_path: Path) -> None:
    jobs = [
        Job(str(code), ("sh", "-c", f"echo said {code}; exit {code}"), tmp_path / f"{code}.log") for code in range(4)
    ]
    assert {(end.job.name, end.code) for end in run_jobs(jobs, at_once=3)} == {(str(code), code) for code in range(4)}
    assert last_line(tmp_path / "2.log") == "said 2"
    assert last_line(tmp_path / "none.log") == "no output"
    pid = tmp_path / "pid"
    endless = [Job("short", ("true",), tmp_path / "s.log"), Job("endless", _endless(pid), tmp_path / "e.log")]
    listening = run_jobs(endless, at_once=2)
    next(listening)
    while not (pid.exists() and pid.read_text().strip()):
        pass
    listening.close()  # type: ignore[attr-defined]
    assert not Path("/proc/self").exists() or not Path(f"/proc/{pid.read_text().strip()}").exists()


def _endless(pid: Path) -> tuple[str, ...]:
    return ("sh", "-c", f"echo $$ > {pid}; exec sleep 600")
