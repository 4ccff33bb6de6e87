"""The cases: one function each, from the bench to a Case, named in CASES at the end. Those that are
about connections stand in connections.py.

A case says which jobs there are and which numbers must hold. To add one, write its function and its
line in CASES.
"""

import time
from collections import namedtuple

import peers
from connections import h2, hosts, tls
from contest import Bound, Case, Job, count_after, count_retries
from origins import FILES

KIB = 1 << 10
ALONE = "largest process"


def keepalive(bench):
    at_once = 50
    size = FILES["1k"]
    many = bench.count(100_000)

    def work(name, requests, body="1k"):
        path = peers.url_list(bench.lab, name,
                              (bench.nginx.url(body, i) for i in range(requests)))
        return path, requests, requests * size

    path, _, whole = work("many", many)
    text_path = work("text", many, "text")[0]
    some_path, some, some_whole = work("some", bench.count(5_000))
    few_path, few, few_whole = work("few", bench.count(500))

    json_path = peers.request_list(bench.lab, "many.json",
                                   (bench.nginx.url("1k", i) for i in range(many)))
    raw = "weir --no-compressed"
    raw_text = "weir, text"
    floor = "libcurl alone"

    def weir(name, *options, stdin=path, expect=whole, base=""):
        return Job(name, [bench.weir, "-j", str(at_once), *options], many, stdin=stdin,
                   expect=expect, base=base)

    jobs = [
        weir(raw, "--no-compressed"),
        Job("curl -Z", peers.curl(path, at_once), many, expect=whole, note="no order, torn"),
        weir("weir"),
        Job("wget2", peers.wget2(path, at_once), many, expect=whole,
            note="no order; a thread each"),
        weir("weir --unordered", "--no-compressed", "--unordered"),
        weir("weir --format tsv", "--no-compressed", "--format", "tsv", expect=None),
        weir("weir --jsonl, base64", "--no-compressed", "--jsonl", expect=None),
        weir(raw_text, "--no-compressed", stdin=text_path),
        weir("weir --jsonl, text", "--no-compressed", "--jsonl", stdin=text_path, expect=None,
             base=raw_text),
        weir("weir, JSON requests", "--no-compressed", stdin=json_path),
        Job(floor, peers.libcurl_alone(bench.lab, bench.nginx.url("1k"), many, at_once),
            many, sink="none", note="the floor with libcurl: bodies thrown away"),
        Job("h2load", peers.h2load(bench.nginx.url("1k"), many, at_once), many, sink="none",
            note="the floor: bodies thrown away"),
        Job("asyncio+aiohttp", peers.aiohttp(at_once), some, stdin=some_path, expect=some_whole),
        Job("aria2", peers.aria2(few_path, at_once), few, expect=few_whole, note="a file each"),
        Job("xargs -P curl", peers.xargs_curl(few_path, at_once), few, expect=few_whole,
            note=f"no order, torn; {ALONE}"),
        Job("parallel -k curl", peers.parallel_curl(few_path, at_once), few, expect=few_whole,
            note=ALONE),
    ]
    facts = [lambda r, words=words, metric=metric, name=name:
             f"{words}, {floor} / {name}: {r.ratio(floor, name, metric):.2f}"
             for words, metric, name in [("wall", "wall", "curl -Z"), ("wall", "wall", "wget2"),
                                         ("CPU", "cpu", "h2load")]]
    title = (f"{many:,} x 1 KiB over keep-alive from nginx, {at_once} in flight, to a file; random "
             f"bytes, and text")
    return Case("keepalive", title, jobs, keepalive_bounds(raw, raw_text), base=raw, facts=facts,
                panels={raw: f"{many:,} x 1 KiB over keep-alive, {at_once} in flight"})


def keepalive_bounds(raw, raw_text):
    def ratio(text, limit, metric, name, other, goal=True):
        return Bound(text, limit, lambda r: r.ratio(name, other, metric), goal=goal)

    text, base64 = "CPU, --jsonl / raw, bodies of text", "CPU, --jsonl / raw, bodies as base64"
    return [
        ratio("wall / curl -Z", 0.62, "wall", raw, "curl -Z", goal=False),
        ratio("CPU / curl -Z", 0.70, "cpu", raw, "curl -Z", goal=False),
        Bound("peak memory", 16, lambda r: r.median(raw, "peak_kib") / KIB, "MiB"),
        ratio(text, 1.5, "cpu", "weir --jsonl, text", raw_text, goal=False),
        ratio(base64, 1.5, "cpu", "weir --jsonl, base64", raw, goal=False),
        ratio("CPU, JSON requests / lines", 1.15, "cpu", "weir, JSON requests", raw, goal=False),
        ratio("CPU / curl -Z", 0.65, "cpu", raw, "curl -Z"),
        ratio("wall / wget2", 0.60, "wall", raw, "wget2"),
        ratio("wall / asyncio+aiohttp", 0.12, "wall", raw, "asyncio+aiohttp"),
        ratio("CPU / h2load", 1.65, "cpu", raw, "h2load"),
        ratio("CPU, with Accept-Encoding / without", 1.12, "cpu", "weir", raw),
        ratio(text, 1.35, "cpu", "weir --jsonl, text", raw_text),
        ratio(base64, 1.35, "cpu", "weir --jsonl, base64", raw),
        ratio("wall, in order / --unordered", 1.05, "wall", raw, "weir --unordered"),
    ]


def inflight(bench):
    count = 5_000
    size = 64
    path = peers.url_list(bench.lab, "late",
                          (bench.origin.url(size, i, delay=1) for i in range(count)))
    expect = count * size
    few = 900
    few_path = peers.url_list(bench.lab, "late-few",
                              (bench.origin.url(size, i, delay=1) for i in range(few)))
    jobs = [
        Job("weir", [bench.weir, "-j", str(count)], count, stdin=path, expect=expect),
        Job("h2load", peers.h2load(bench.origin.url(size, 0, delay=1), count, count), count,
            sink="none", note="the floor: bodies thrown away"),
        Job("asyncio+aiohttp", peers.aiohttp(count), count, stdin=path, expect=expect),
        Job("curl -Z", peers.curl(few_path, 300), few, expect=few * size,
            note="300 at once is its most"),
    ]
    bounds = [
        Bound("wall", 3, lambda r: r.median("weir", "wall"), "s"),
        Bound("peak memory a request", 24, lambda r: r.median("weir", "peak_kib") / count, "KiB"),
    ]
    title = f"{count:,} requests that take 1 s each, all at once"
    return Case("inflight", title, jobs, bounds, base="weir")


def slowhead(bench):
    late = 4
    window = 200
    at_once = 50
    size = FILES["20k"]
    count = bench.count(20_000)

    def urls():
        yield bench.origin.url(size, 0, delay=late)
        for i in range(count):
            yield bench.nginx.url("20k", i)

    path = peers.url_list(bench.lab, "head", urls())
    requests = count + 1
    expect = requests * size
    ahead = count_after(bench.nginx, late - 0.5)
    jobs = [
        Job("weir", [bench.weir, "-j", str(at_once), "--window", str(window), "--memory", "2M"],
            requests, stdin=path, expect=expect, watch=ahead),
        Job("asyncio+aiohttp", peers.aiohttp(at_once), requests, stdin=path, expect=expect,
            watch=ahead),
        Job("curl -Z", peers.curl(path, at_once), requests, expect=expect, watch=ahead,
            note="no order, torn"),
    ]
    bounds = [
        Bound("peak memory", 24, lambda r: r.median("weir", "peak_kib") / KIB, "MiB"),
        Bound("fetched ahead of the head", window, lambda r: r.median("weir", "asked")),
    ]
    title = (f"first URL {late} s late, {count:,} x 20 kB behind it, window {window}, memory 2M, "
             f"{at_once} in flight")
    return Case("slowhead", title, jobs, bounds, base="weir")


def stalled(bench):
    window = 200
    size = FILES["20k"]
    path = peers.url_list(bench.lab, "stalled",
                          (bench.nginx.url("20k", i) for i in range(20_000)))
    argv = [bench.weir, "-j", "50", "--window", str(window), "--memory", "2M"]
    # What fits into the pipe and into the writer's buffer before it has left the window.
    room = window + -(-(64 + 256) * KIB // size)

    def bad_line(stdin):
        stdin.write(b"http://[bad\n")
        stdin.flush()
        time.sleep(1)

    jobs = [
        # It ends by SIGPIPE, once the reader that never read has gone.
        Job("weir, unread", argv, window, stdin=path, sink="unread", status=141,
            watch=count_after(bench.nginx, 1.5)),
        Job("weir, a bad line", ["sh", "-c", 'exec "$@" 2>&1', "sh", bench.weir], 1, sink="drain",
            status=1, feed=bad_line),
    ]
    bounds = [
        Bound("fetched while nobody reads", room, lambda r: r.median("weir, unread", "asked")),
        Bound("a bad line is told after", 0.2, lambda r: r.median("weir, a bad line", "first"),
              "s"),
    ]
    title = (f"nobody reads stdout of 20,000 x 20 kB, window {window}; a bad line, and then no end "
             f"of input")
    return Case("stalled", title, jobs, bounds, base="weir, unread")


def million(bench):
    at_once = 50
    size = FILES["1k"]
    small = 10_000
    large = bench.count(300_000)
    counts = [small, large] + ([1_000_000] if bench.million else [])
    paths = {count: peers.url_list(bench.lab, f"list-{count}",
                                   (bench.nginx.url("1k", i) for i in range(count)))
             for count in counts}

    def weir(count):
        return Job(f"weir, {count:,}", [bench.weir, "-j", str(at_once)], count, stdin=paths[count],
                   sink="drain", expect=count * size)

    def curl(count):
        return Job(f"curl -Z, {count:,}", peers.curl(paths[count], at_once), count, sink="drain",
                   expect=count * size, base=f"weir, {count:,}")

    def wget2(count):
        return Job(f"wget2, {count:,}", peers.wget2(paths[count], at_once), count, sink="drain",
                   expect=count * size, base=f"weir, {count:,}")

    def held_open(suffix):
        """A producer that has one line, and the rest a second later."""
        def feed(stdin):
            with open(paths[small] + suffix, "rb") as lines:
                stdin.write(lines.readline())
                stdin.flush()
                time.sleep(1)
                stdin.write(lines.read())
        return feed

    jobs = [job(count) for count in (small, large) for job in (weir, curl, wget2)]
    jobs += [weir(count) for count in counts[2:]]
    jobs += [
        Job("weir, slow input", [bench.weir, "-j", str(at_once)], small, sink="drain",
            expect=small * size, feed=held_open("")),
        Job("curl -Z, slow input", [*peers.curl("", at_once)[:-1], "-"], small, sink="drain",
            expect=small * size, feed=held_open(".curl"), base="weir, slow input"),
    ]

    def memory_ratio(count):
        return lambda r: r.ratio(f"weir, {count:,}", f"weir, {small:,}", "peak_kib")

    bounds = [Bound(f"peak memory, {count:,} / {small:,}", 1.1, memory_ratio(count))
              for count in counts[1:]]
    bounds.append(Bound("first result, with input to come for 1 s yet", 0.5,
                        lambda r: r.median("weir, slow input", "first"), "s"))
    title = f"{large:,} URLs and {small:,}, 1 KiB each, {at_once} in flight, into a pipe"
    return Case("million", title, jobs, bounds, base=f"weir, {large:,}",
                panels={f"weir, {count:,}": f"{count:,} URLs, 1 KiB each" for count in counts[:2]})


def large(bench):
    at_once = 8
    memory = 64
    size = FILES["10m"]
    count = bench.count(200)

    def urls():
        return (bench.nginx.url("10m", i) for i in range(count))

    path = peers.url_list(bench.lab, "large", urls())
    files_path = peers.output_list(bench.lab, "large-files", urls())
    argv = [bench.weir, "-j", str(at_once), "--memory", f"{memory}M"]
    expect = count * size
    jobs = [
        Job("weir > file", argv, count, stdin=path, expect=expect),
        Job("curl -Z > file", peers.curl(path, at_once), count, expect=expect,
            note="no order, torn"),
        Job("weir |", argv, count, stdin=path, sink="drain", expect=expect),
        Job("curl -Z |", peers.curl(path, at_once), count, sink="drain", expect=expect,
            base="weir |", note="no order, torn"),
        Job("weir -o", [*argv, "--output-dir", peers.FILES_DIR, "-o", "{seq}"], count, stdin=path,
            expect=expect),
        Job("curl -Z -o", peers.curl(files_path, at_once, "--create-dirs"), count, expect=expect,
            base="weir -o"),
    ]

    def wall(text, limit, name, other):
        return Bound(text, limit, lambda r: r.ratio(name, other, "wall"), goal=True)

    def beyond_memory(results):
        return max(results.median(job.name, "peak_kib") for job in jobs
                   if job.name.startswith("weir")) / KIB - memory

    bounds = [
        wall("wall / curl -Z, to a file", 1.33, "weir > file", "curl -Z > file"),
        wall("wall / curl -Z, to a pipe", 1.33, "weir |", "curl -Z |"),
        wall("wall / curl -Z, to a file for each", 1.05, "weir -o", "curl -Z -o"),
        Bound("peak memory beyond --memory", 24, beyond_memory, "MiB"),
    ]
    title = f"{count:,} x 10 MiB from nginx, {at_once} in flight"
    return Case("large", title, jobs, bounds, base="weir > file", panels={
        "weir > file": f"{title}, to a file", "weir |": "the same, to a pipe",
        "weir -o": "the same, to a file for each"})


def start(bench):
    times = bench.count(100)
    size = FILES["1k"]
    url = bench.nginx.url("1k")
    jobs = [
        Job("weir", [bench.weir, url], times, repeat=times, sink="drain", expect=times * size),
        Job("curl", ["curl", "-s", url], times, repeat=times, sink="drain", expect=times * size),
        Job("wget2", ["wget2", "-q", "--no-config", "--no-hsts", "-O", "-", url], times,
            repeat=times, sink="drain", expect=times * size),
    ]
    bounds = [Bound("wall / curl", 1.15, lambda r: r.ratio("weir", "curl", "wall"), goal=True)]
    return Case("start", f"one URL, start to end, {times} times in a row", jobs, bounds,
                base="weir")


def adaptive(bench):
    size = 64
    delay = 0.04
    room = 8
    count = bench.count(3_000)
    refusing = bench.count(1_500)
    most = "100"
    # Far from the best a setting takes long, and a few requests tell by how much.
    settings = {2: 10, 4: 4, 6: 1, 8: 1, 10: 1, 12: 1, 16: 1, 24: 10, 32: 10, 64: 10}
    climbs = {"linear": f"{room}", "square": f"{room},2"}

    def work(name, requests, **script):
        return peers.url_list(bench.lab, name, (bench.origin.url(size, i, delay=delay, **script)
                                                for i in range(requests)))

    def weir(name, requests, stdin, *options, **more):
        return Job(name, [bench.weir, *options], requests, stdin=stdin,
                   **{"expect": requests * size, **more})

    def adaptive_name(kind):
        return f"weir adaptive, {kind}"

    def fixed_name(kind, at_once):
        return f"weir -j {at_once}, {kind}"

    def best(results, kind):
        """The wall time of a request under the best fixed setting, and which that is."""
        return min((results.median(name, "wall") / results.jobs[name].requests, at_once)
                   for at_once in settings for name in [fixed_name(kind, at_once)])

    def to_best(kind):
        def value(results):
            name = adaptive_name(kind)
            return results.median(name, "wall") / results.jobs[name].requests / best(
                results, kind)[0]
        return value

    jobs = []
    for kind, climb in climbs.items():
        path = work(f"climb-{kind}", count, climb=climb)
        jobs.append(weir(adaptive_name(kind), count, path, "--adaptive", "-j", most))
        for at_once, part in settings.items():
            requests = max(count // part, 1)
            some = path if part == 1 else work(f"climb-{kind}-{at_once}", requests, climb=climb)
            jobs.append(weir(fixed_name(kind, at_once), requests, some, "-j", str(at_once)))
    refuse = "weir adaptive, refused"
    jobs.append(weir(refuse, refusing, work("refuse", refusing, maxinflight=room), "--adaptive",
                     "--jsonl", "-j", most, "--retry", "9", "--retry-budget", "none",
                     "--retry-delay", "0.05", expect=None, look=count_retries))
    bounds = [Bound(f"wall / best fixed -j, latency climbs, {kind}", 1.25, to_best(kind))
              for kind in climbs]
    bounds += [
        Bound("wall / ideal, 429 above 8 at once", 1.6, lambda r: r.median(refuse, "wall") / (
            refusing * delay / room)),
        Bound("refused of what was asked, 429 above 8", 0.1, lambda r: r.median(
            refuse, "refused") / refusing),
    ]
    facts = [lambda r, kind=kind: f"{kind}: the best fixed setting is -j {best(r, kind)[1]}"
             for kind in climbs]
    title = (f"--adaptive -j {most} against every fixed -j; an origin of {delay:g} s whose latency "
             f"climbs above {room}")
    return Case("adaptive", title, jobs, bounds, base=adaptive_name("square"), facts=facts)


# Roughly how many seconds a round takes on two cores, a full one and a quick one; how many rounds are
# enough; whether the case is among those that run where none is named.
Entry = namedtuple("Entry", "make seconds quick_seconds runs_max usual", defaults=(99, True))
CASES = {
    "keepalive": Entry(keepalive, 40, 4),
    "tls": Entry(tls, 18, 8),
    "h2": Entry(h2, 10, 1),
    "inflight": Entry(inflight, 14, 14),
    "slowhead": Entry(slowhead, 25, 13),
    "stalled": Entry(stalled, 3, 3, runs_max=3),
    "million": Entry(million, 45, 7, runs_max=3),
    "large": Entry(large, 20, 2),
    "hosts": Entry(hosts, 30, 4),
    "start": Entry(start, 4, 1),
    "adaptive": Entry(adaptive, 225, 30, runs_max=3, usual=False),
}
