"""The numbers as a picture: an SVG, from what report.py writes as JSON.

A panel for each job of weir that other programs are compared with, a row for each program, a bar each
for wall time, CPU and peak memory. All bars have one scale, on which weir is 1, so a look down the
picture will do; what is longer than the scale is torn at its end and has its number.
"""

import statistics
import textwrap
from xml.sax.saxutils import escape

from contest import WIDE

WIDTH = 980
MARGIN = 32
NAME_WIDTH = 212
COLUMN_WIDTH = (WIDTH - 2 * MARGIN - NAME_WIDTH) // 3
UNIT = 42  # how long a bar of 1 is
LONGEST = 4  # the scale's end
ROW = 33
BAR = 14

METRICS = {"wall": "wall time", "cpu": "CPU", "peak_kib": "peak memory"}

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1a1f26 }
.page { fill: #ffffff } .title { font-size: 24px; font-weight: 650 }
.panel { font-size: 15px; font-weight: 600 } .own { font-weight: 600 }
.muted { fill: #59636f } .small { font-size: 11px; fill: #59636f }
.weir { fill: #0072b2 } .peer { fill: #a9b1bb }
.floor { fill: none; stroke: #a9b1bb; stroke-width: 1.5 }
.rule { stroke: #dfe3e8 } .one { stroke: #0072b2; stroke-dasharray: 2 3 }
.tear { stroke: #ffffff; stroke-width: 2.5; fill: none }
@media (prefers-color-scheme: dark) {
    text { fill: #e6eaf0 } .page { fill: #12161b }
    .muted, .small { fill: #9aa6b4 } .weir { fill: #4fabe3 } .peer { fill: #5b6673 }
    .floor { stroke: #5b6673 } .rule { stroke: #2d3640 } .one { stroke: #4fabe3 }
    .tear { stroke: #12161b }
}
"""


class Picture:
    """Shapes, and how far down they reach."""

    def __init__(self):
        self.shapes = []
        self.y = MARGIN

    def text(self, x, y, words, css="", anchor="start"):
        self.shapes.append(f'<text x="{x:g}" y="{y:g}" class="{css}" text-anchor="{anchor}">'
                           f"{escape(words)}</text>")

    def lines(self, words, css, height, columns):
        for line in textwrap.wrap(words, columns, break_long_words=False):
            self.y += height
            self.text(MARGIN, self.y, line, css)

    def line(self, x, y, to_x, to_y, css):
        self.shapes.append(f'<line x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}" '
                           f'class="{css}"/>')

    def bar(self, x, y, length, css, told):
        self.shapes.append(f'<rect x="{x:g}" y="{y:g}" width="{length:.1f}" height="{BAR}" rx="2" '
                           f'class="{css}"><title>{escape(told)}</title></rect>')

    def tear(self, x, y):
        for right in (0, 6):
            self.shapes.append(f'<path d="M{x + right - 3:g} {y + BAR + 1:g}l5 -{BAR + 2}" '
                               f'class="tear"/>')

    def svg(self, label):
        height = self.y + MARGIN
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
                f'width="{WIDTH}" height="{height:g}" role="img" aria-label="{escape(label)}">\n'
                f"<style>{STYLE}</style>\n"
                f'<rect class="page" width="{WIDTH}" height="{height:g}"/>\n'
                + "\n".join(self.shapes) + "\n</svg>\n")


def draw(facts):
    """The whole picture."""
    picture = Picture()
    title = "weir and its peers, on the same work"
    picture.y += 22
    picture.text(MARGIN, picture.y, title, "title")
    picture.y += 4
    picture.lines("What each takes, by the request, as a multiple of what weir takes: shorter is "
                  "better.", "muted", 20, 110)
    for case in facts["cases"]:
        for panel_title, base, jobs in panels(case):
            draw_panel(picture, panel_title, base, jobs)
    draw_foot(picture, facts)
    return picture.svg(title)


def panels(case):
    """(title, base, the base and its peers), without those that nobody is compared with."""
    titles = case.get("panels") or {case["base"]: case["title"]}
    by_name = {job["name"]: job for job in case["jobs"]}
    for base, title in titles.items():
        peers = [job for job in case["jobs"]
                 if job.get("base", case["base"]) == base and not job["name"].startswith("weir")]
        if base in by_name and peers:
            yield title, by_name[base], [by_name[base], *peers]


def draw_panel(picture, title, base, jobs):
    picture.y += 24
    picture.line(MARGIN, picture.y, WIDTH - MARGIN, picture.y, "rule")
    picture.y += 6
    picture.lines(title[0].upper() + title[1:], "panel", 20, 108)
    picture.y += 20
    for number, metric in enumerate(METRICS.values()):
        picture.text(column(number), picture.y, metric, "small")
        x = column(number) + UNIT
        picture.line(x, picture.y + 4, x, picture.y + ROW * len(jobs), "one")
    for job in jobs:
        draw_row(picture, job, base)


def column(number):
    return MARGIN + NAME_WIDTH + number * COLUMN_WIDTH


def draw_row(picture, job, base):
    picture.y += ROW
    middle = picture.y - ROW / 2 + 4
    own = job is base
    name = job["name"].split(",")[0]
    if is_wide(job):
        name += " ~"
    note = job["note"]
    picture.text(MARGIN, middle - (2 if note else -4), name, "own" if own else "")
    if note:
        picture.text(MARGIN, middle + 12, note, "small")
    css = "weir" if own else "floor" if note.startswith("the floor") else "peer"
    for number, metric in enumerate(METRICS):
        ratio = 1 if own else ratio_of(job, base, metric)
        x = column(number)
        y = middle - BAR / 2
        length = UNIT * min(ratio, LONGEST)
        told = f"{job['name']}: {METRICS[metric]} {absolute(job, metric)}"
        picture.bar(x, y, max(length, 1), css, told)
        if ratio > LONGEST:
            picture.tear(x + length - 16, y)
        label = absolute(job, metric) if own else times(ratio)
        picture.text(x + max(length, UNIT) + 7, middle + 4.5, label, "own" if own else "")


def ratio_of(job, base, metric):
    """As contest.Results has it: within each round, by the request; the median."""
    scale = 1 if metric == "peak_kib" else base["requests"] / job["requests"]
    pairs = zip(job["samples"], base["samples"])
    return statistics.median(scale * its[metric] / max(weirs[metric], 1e-9)
                             for its, weirs in pairs)


def is_wide(job):
    return job["wall_spread"] > WIDE


def times(ratio):
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 4 else f"{ratio:.2f}×"


def absolute(job, metric):
    value = job[metric]
    if metric == "peak_kib":
        return f"{value / 1024:.1f} MiB"
    if metric == "wall":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.0f} ms"
    each = value / job["requests"] * 1e6
    return f"{each:.0f} µs each" if each < 1e4 else f"{each / 1e3:.1f} ms each"


def draw_foot(picture, facts):
    machine = facts["machine"]
    rounds = f"{facts['runs']} rounds" if facts["runs"] > 1 else "one round"
    amount = " A tenth of the work: a trial." if facts["quick"] else ""
    picture.y += 30
    picture.line(MARGIN, picture.y, WIDTH - MARGIN, picture.y, "rule")
    picture.y += 6
    picture.lines("; ".join(facts["versions"].values()), "small", 17, 150)
    picture.lines(f"{machine['cores']} cores, {machine['system']}, {machine['architecture']}. "
                  f"Medians of at most {rounds} after one to warm up, the programs in turns; a ratio "
                  f"is taken within each round.{amount}", "small", 17, 150)
    jobs = [job for case in facts["cases"] for job in case["jobs"]]
    if any("torn" in job["note"] for job in jobs):
        picture.lines("Torn: pieces of several bodies are mixed in the output.", "small", 17, 150)
    if any(is_wide(job) for job in jobs):
        picture.lines(f"~: its wall times differ by more than {WIDE:.0%} of their median.", "small",
                      17, 150)


def write(path, facts):
    with open(path, "w", encoding="utf-8") as file:
        file.write(draw(facts))
