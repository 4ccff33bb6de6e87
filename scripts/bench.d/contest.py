"""Jobs and how they are run: one after the other, round after round, so that whatever disturbs the
machine disturbs all of them alike. A ratio is taken within each round, and the median of these is
what counts.
"""

import json
import os
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import Callable, Optional

from lab import say
from peers import FILES_DIR

WIDE = 0.25  # a spread over this is warned of


@dataclass
class Job:
    """One program on one piece of work.

    sink: "file" (the bytes are counted afterwards), "drain" (a reader that throws away), "none",
    or "unread" (a pipe nobody reads, closed when `watch` is done).
    """
    name: str
    argv: list
    requests: int
    stdin: Optional[str] = None
    sink: str = "file"
    repeat: int = 1  # run so many times in a row; times are then of all of these
    expect: Optional[int] = None  # bytes of output, in `out` or in all files of `out.d`
    status: int = 0
    limit: float = 240  # seconds, then it is killed
    feed: Optional[Callable] = None  # writes the job's stdin, a pipe
    # Called before the start, gives what runs beside the job; what that returns joins the sample.
    watch: Optional[Callable] = None
    look: Optional[Callable] = None  # at the output, a file; what it returns joins the sample
    base: str = ""  # the job this one is compared with, where that is not the case's
    note: str = ""


@dataclass
class Bound:
    """A number to keep: `at most`, or a goal for later, which --check does not insist on."""
    text: str
    limit: float
    value: Callable  # of Results; raises KeyError where a job is missing
    unit: str = ""
    goal: bool = False


@dataclass
class Case:
    name: str
    title: str
    jobs: list
    bounds: list = field(default_factory=list)
    base: str = ""  # the job that the others are compared with
    facts: list = field(default_factory=list)  # of Results, a line each; may raise KeyError
    # For the chart: what the jobs do that are compared with this one, by its name. Without: all.
    panels: dict = field(default_factory=dict)

    def base_of(self, job):
        return job.base or self.base


class Results:
    """Samples by job. A job that failed has none."""

    def __init__(self, jobs):
        self.jobs = {job.name: job for job in jobs}
        self.samples = {job.name: [] for job in jobs}
        self.failures = {}

    def values(self, name, metric):
        values = [sample[metric] for sample in self.samples[name]]
        if not values:
            raise KeyError(name)
        return values

    def median(self, name, metric):
        return statistics.median(self.values(name, metric))

    def spread(self, name, metric):
        values = self.values(name, metric)
        return (max(values) - min(values)) / max(statistics.median(values), 1e-9)

    def ratio(self, name, other, metric):
        """What `name` takes of what `other` takes, each by its request; memory as it is."""
        scale = 1.0
        if metric != "peak_kib":
            scale = self.jobs[other].requests / self.jobs[name].requests
        pairs = zip(self.values(name, metric), self.values(other, metric))
        return statistics.median(scale * mine / max(its, 1e-9) for mine, its in pairs)


def run_case(lab, case, runs):
    """One round to warm up, which is forgotten, then the rounds that count."""
    results = Results(case.jobs)
    for number in range(runs + 1):
        for job in case.jobs:
            if job.name in results.failures:
                continue
            sample, failure = run_job(lab, job)
            if failure:
                results.failures[job.name] = failure
                results.samples[job.name] = []
                say(f"{case.name}: {job.name}: {failure}")
            elif number > 0:
                results.samples[job.name].append(sample)
    return results


def run_job(lab, job):
    """A sample and None, or None and why there is none."""
    lab.clear("report", "out", FILES_DIR)
    argv = [lab.path("timed"), "-n", str(job.repeat)]
    if job.sink == "drain":
        argv.append("-d")
    argv += [lab.path("report"), *job.argv]

    watch = job.watch() if job.watch else None
    stdout, keep = open_sink(lab, job)
    with open(job.stdin or os.devnull, "rb") as stdin, open(lab.path("log"), "wb") as log:
        process = lab.start(argv, stdin=subprocess.PIPE if job.feed else stdin, stdout=stdout,
                            stderr=log)
    os.close(stdout)
    extra = {}
    helpers = start_helpers(process, job.feed, watch, extra, keep)
    try:
        process.wait(timeout=job.limit)
    except subprocess.TimeoutExpired:
        return None, f"not done after {job.limit} s"
    finally:
        lab.bury(process)
        for helper in helpers:
            helper.join()
    return judge(lab, job, extra)


def open_sink(lab, job):
    """What the job writes to, and the end of a pipe that must stay open meanwhile, or None."""
    if job.sink == "file":
        return os.open(lab.path("out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), None
    if job.sink == "unread":
        reader, writer = os.pipe()
        return writer, reader
    return os.open(os.devnull, os.O_WRONLY), None


def start_helpers(process, feed, watch, extra, keep):
    """Threads that write the input and watch, where the job has such."""
    def write_input():
        try:
            with process.stdin:
                feed(process.stdin)
        except BrokenPipeError:
            pass

    def look():
        try:
            extra.update(watch())
        finally:
            if keep is not None:
                os.close(keep)

    helpers = [threading.Thread(target=write_input)] if feed else []
    helpers += [threading.Thread(target=look)] if watch else []
    for helper in helpers:
        helper.start()
    return helpers


def judge(lab, job, extra):
    try:
        with open(lab.path("report"), encoding="ascii") as file:
            sample = json.load(file)
    except (OSError, ValueError):
        return None, "did not run: " + log_tail(lab)
    if sample["status"] != job.status:
        return None, f"ended with status {sample['status']}: " + log_tail(lab)
    if job.sink != "drain":
        sample["bytes"] = output_size(lab)
    if job.expect is not None and sample["bytes"] != job.expect:
        return None, f"{sample['bytes']} bytes came, not {job.expect}: " + log_tail(lab)
    sample["cpu"] = sample["user"] + sample["system"]
    sample.update(extra)
    if job.look:
        sample.update(job.look(lab.path("out")))
    return sample, None


def output_size(lab):
    size = os.path.getsize(lab.path("out")) if os.path.exists(lab.path("out")) else 0
    if os.path.isdir(lab.path(FILES_DIR)):
        with os.scandir(lab.path(FILES_DIR)) as entries:
            size += sum(entry.stat().st_size for entry in entries)
    return size


def log_tail(lab):
    with open(lab.path("log"), errors="replace", encoding="utf-8") as file:
        return " ".join(file.read()[-300:].split()) or "(no word)"


def count_after(nginx, seconds):
    """A watch: how many requests nginx has had `seconds` after the start."""
    def prepare():
        before = nginx.requests()

        def look():
            time.sleep(seconds)
            return {"asked": nginx.requests() - before - 1}
        return look
    return prepare


class Resumed:
    """A watch and a look: how many connections a server had, by its log of those that were
    resumed."""

    def __init__(self, log):
        self.log = log
        self.start = 0

    def watch(self):
        self.start = os.path.getsize(self.log)
        return dict

    def look(self, _):
        with open(self.log, "rb") as lines:
            lines.seek(self.start)
            words = lines.read().split()
        return {"connections": len(words), "resumed": words.count(b"r")}


def count_retries(path):
    """A look: how many attempts more than one --jsonl tells of, all requests together."""
    with open(path, encoding="utf-8") as lines:
        return {"refused": sum(json.loads(line)["attempts"] - 1 for line in lines)}
