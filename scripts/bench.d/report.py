"""What the user sees: a table a case, a line a bound, the same as JSON."""

import json
import os
import platform

from contest import WIDE
from lab import Trouble

KIB = 1 << 10
COLUMNS = "{:<27} {:>8} {:>8} {:>6} {:>8} {:>8} {:>8}   {:>5} {:>5} {:>5}   {}"


def machine():
    return {"cores": os.cpu_count(), "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(), "load": round(os.getloadavg()[0], 2)}


def print_head(facts, versions, missing):
    print(f"{facts['cores']} cores, {facts['system']}, {facts['architecture']}, "
          f"load {facts['load']} before the start")
    print("; ".join(versions.values()))
    if missing:
        print("not installed: " + ", ".join(missing))


def print_case(case, results, missing):
    print(f"\n{case.name}: {case.title}")
    print(COLUMNS.format("", "requests", "wall s", "spread", "CPU s", "us/req", "peak MiB",
                         "wall", "CPU", "peak", "").rstrip())
    for job in case.jobs:
        if results.samples[job.name]:
            print(job_row(case, results, job))
        else:
            print(f"{job.name:<27} failed: {results.failures[job.name]}")
    for name in missing:
        print(f"{name:<27} not installed")
    for fact in told_facts(case, results):
        print("  " + fact)
    for bound in case.bounds:
        print(bound_row(bound, results))
    for warning in warnings(case, results):
        print("  " + warning)


def told_facts(case, results):
    for fact in case.facts:
        try:
            yield fact(results)
        except KeyError:
            continue


def job_row(case, results, job):
    cpu = results.median(job.name, "cpu")
    notes = [job.note] if job.note else []
    for metric, text in (("first", "first byte: {:.2f} s"), ("asked", "{:.0f} asked for")):
        sample = results.samples[job.name][0]
        if sample.get(metric, -1) >= 0 and job.repeat == 1:
            notes.append(text.format(results.median(job.name, metric)))
    return COLUMNS.format(
        job.name, job.requests, f"{results.median(job.name, 'wall'):.3f}",
        f"{results.spread(job.name, 'wall'):.0%}", f"{cpu:.3f}",
        f"{cpu / job.requests * 1e6:.0f}", f"{results.median(job.name, 'peak_kib') / KIB:.1f}",
        *ratios(case, results, job), "; ".join(notes)).rstrip()


def ratios(case, results, job):
    """What the base of the job takes of what it takes."""
    base = case.base_of(job)
    if job.name == base or not results.samples.get(base):
        return ["", "", ""]
    return [f"{results.ratio(base, job.name, metric):.2f}"
            for metric in ("wall", "cpu", "peak_kib")]


def measure(bound, results):
    """What was measured, or None, and the verdict in a word."""
    try:
        value = bound.value(results)
    except KeyError:
        return None, "unknown"
    if value <= bound.limit:
        return value, "ok"
    return value, "not yet" if bound.goal else "MISSED"


def number(value, unit):
    text = "-" if value is None else f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def bound_row(bound, results):
    value, verdict = measure(bound, results)
    kind = "goal" if bound.goal else "bound"
    return (f"  {kind:<5}  {bound.text:<46} at most {number(bound.limit, bound.unit):<8}"
            f" {number(value, bound.unit):>9}  {verdict}")


def warnings(case, results):
    for job in case.jobs:
        if not results.samples[job.name]:
            continue
        spread = results.spread(job.name, "wall")
        if spread > WIDE:
            yield f"warning: {job.name}: wall times differ by {spread:.0%} of their median"


def case_facts(case, results):
    rows = []
    for bound in case.bounds:
        value, verdict = measure(bound, results)
        rows.append({"text": bound.text, "unit": bound.unit, "goal": bound.goal,
                     "at_most": bound.limit, "measured": value, "verdict": verdict})
    return {
        "case": case.name, "title": case.title, "base": case.base, "panels": case.panels, "bounds": rows,
        "facts": list(told_facts(case, results)),
        "failures": results.failures, "warnings": list(warnings(case, results)),
        "jobs": [job_facts(case, results, job) for job in case.jobs if results.samples[job.name]],
    }


def job_facts(case, results, job):
    metrics = ("wall", "cpu", "peak_kib")
    base = case.base_of(job)
    facts = {"name": job.name, "base": base, "requests": job.requests, "note": job.note,
             "samples": results.samples[job.name]}
    for metric in metrics:
        facts[metric] = results.median(job.name, metric)
        facts[metric + "_spread"] = results.spread(job.name, metric)
        if results.samples.get(base):
            facts[metric + "_base_to_this"] = results.ratio(base, job.name, metric)
    return facts


def write_json(path, facts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=2)
        file.write("\n")


def read_json(path):
    try:
        with open(path, encoding="utf-8") as file:
            facts = json.load(file)
        for case in facts["cases"]:
            case["jobs"], case["base"], case["title"]
        return facts
    except (ValueError, KeyError, TypeError) as error:
        raise Trouble(f"{path}: not what --json leaves") from error
