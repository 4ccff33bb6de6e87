"""The cases in which the connections are the work: TLS, HTTP/2, many hosts."""

import peers
from contest import Bound, Case, Job, Resumed
from origins import FILES, HOSTS_MAX, host_address, kept_address

AT_ONCE = 50
ASKED = 5  # how often each host whose connection is kept
SIZE = FILES["1k"]


def tls(bench):
    server = bench.tls
    many = bench.count(20_000)
    some = bench.count(2_000)
    # Not fewer with --quick: the first of all that are in flight cannot be resumed.
    anew = 2_000

    def work(name, host, requests):
        return peers.url_list(bench.lab, name, (server.https("1k", i, host)
                                                for i in range(requests)))

    kept = work("tls", server.keeping, many)
    kept_some = work("tls-some", server.keeping, some)
    fresh = work("tls-fresh", server.fresh, anew)
    resumed = Resumed(server.reused_log)
    counted = {"watch": resumed.watch, "look": resumed.look}

    def name(program, kind):
        return f"{program}, {kind}"

    weir = [bench.weir, "-j", str(AT_ONCE), "--no-compressed", "--cacert", server.authority]
    jobs = []
    for kind, path, count, extra in (("kept", kept, many, {}), ("fresh", fresh, anew, counted)):
        extra = {"expect": count * SIZE, **extra}
        jobs += [
            Job(name("weir", kind), weir, count, stdin=path, **extra),
            Job(name("curl -Z", kind), curl_tls(path, server, "--http1.1"), count,
                base=name("weir", kind), note="no order, torn", **extra),
            Job(name("wget2", kind), wget2_tls(path, server, "--no-http2"), count,
                base=name("weir", kind), note="no order; a thread each", **extra),
        ]
    jobs += [
        Job("h2load, kept", peers.h2load(server.https("1k", 0, server.keeping), many, AT_ONCE),
            many, sink="none", base="weir, kept", note="the floor: bodies thrown away"),
        Job("asyncio+aiohttp, kept", peers.aiohttp(AT_ONCE, server.authority), some,
            stdin=kept_some, expect=some * SIZE, base="weir, kept"),
    ]

    def not_resumed(results):
        resumed = results.median("weir, fresh", "resumed")
        return 1 - resumed / max(results.median("weir, fresh", "connections"), 1)

    bounds = [
        Bound("wall / curl -Z, connections kept", 1, lambda r: r.ratio(
            "weir, kept", "curl -Z, kept", "wall"), goal=True),
        Bound("wall / curl -Z, a fresh connection each", 1, lambda r: r.ratio(
            "weir, fresh", "curl -Z, fresh", "wall"), goal=True),
        Bound("handshakes that are not resumed", 0.1, not_resumed),
    ]
    facts = [lambda r, job=job: told_resumed(r, job) for job in jobs if job.look]
    title = (f"{many:,} x 1 KiB over TLS, connections kept, and {anew:,} over a fresh one each, "
             f"HTTP/1.1, {AT_ONCE} in flight")
    return Case("tls", title, jobs, bounds, base="weir, kept", facts=facts, panels={
        "weir, kept": f"{many:,} x 1 KiB over TLS, connections kept",
        "weir, fresh": f"{anew:,} x 1 KiB over TLS, a fresh connection each"})


def told_resumed(results, job):
    resumed = results.median(job.name, "resumed")
    connections = results.median(job.name, "connections")
    return f"{job.name}: {resumed:,.0f} of {connections:,.0f} handshakes resumed"


def curl_tls(path, server, *options):
    return peers.curl(path, AT_ONCE, "--cacert", server.authority, *options)


def wget2_tls(path, server, *options):
    return peers.wget2(path, AT_ONCE, f"--ca-certificate={server.authority}", *options)


def h2(bench):
    server = bench.tls
    many = bench.count(20_000)

    def work(name, host):
        return peers.url_list(bench.lab, name, (server.https("1k", i, host) for i in range(many)))

    streams = work("h2", server.h2)
    plain = work("h2-not", server.keeping)
    weir = [bench.weir, "-j", str(AT_ONCE), "--no-compressed", "--cacert", server.authority]
    expect = many * SIZE
    jobs = [
        Job("weir --http2", [*weir, "--http2"], many, stdin=streams, expect=expect),
        Job("curl -Z --http2", curl_tls(streams, server, "--http2"), many, expect=expect,
            note="no order, torn"),
        Job("wget2 --http2", wget2_tls(streams, server, "--http2"), many, expect=expect,
            note="no order"),
        Job("h2load", peers.h2load_streams(server.https("1k", 0, server.h2), many, AT_ONCE), many,
            sink="none", note="the floor: bodies thrown away"),
        Job("weir, HTTP/1.1", weir, many, stdin=plain, expect=expect, note="over TLS, too"),
    ]
    bounds = [
        Bound("wall / curl -Z", 1, lambda r: r.ratio("weir --http2", "curl -Z --http2", "wall"),
              goal=True),
        Bound("CPU / curl -Z", 1, lambda r: r.ratio("weir --http2", "curl -Z --http2", "cpu"),
              goal=True),
    ]
    title = f"{many:,} x 1 KiB over HTTP/2 and TLS, {AT_ONCE} streams in flight"
    return Case("h2", title, jobs, bounds, base="weir --http2")


def hosts(bench):
    count = bench.count(HOSTS_MAX)
    kept_count = bench.count(bench.kept_hosts)
    jobs = [*fresh_jobs(bench, "plain", count), *fresh_jobs(bench, "TLS", count),
            *kept_jobs(bench)]

    def to_one(results, name):
        return results.ratio(name, name + ", one host", "cpu")

    bounds = [
        Bound(f"CPU, {kept_count:,} hosts in turn / one", 5, lambda r: to_one(r, "weir, in turn"),
              goal=True),
    ]
    facts = [lambda r: f"CPU, {kept_count:,} hosts with a connection kept to each / one: "
                       f"{to_one(r, 'weir, kept'):.2f}"]
    fresh = f"{count:,} hosts, a fresh connection and 1 KiB each"
    title = (f"{fresh}, plain and over TLS, {AT_ONCE} in flight; {kept_count:,} hosts that "
             f"keep connections, {ASKED} times")
    return Case("hosts", title, jobs, bounds, base="weir, plain", facts=facts, panels={
        "weir, plain": fresh, "weir, TLS": fresh + ", over TLS"})


def fresh_jobs(bench, kind, count):
    """To so many hosts, and to one, a connection for each request."""
    if kind == "TLS":
        url = bench.tls.https
        authority = bench.tls.authority
        trust = {"weir": ["--cacert", authority], "curl": ["--cacert", authority, "--http1.1"],
                 "wget2": [f"--ca-certificate={authority}", "--no-http2"], "aiohttp": [authority]}
        some = count // 4
    else:
        url = bench.nginx.url
        trust = {"weir": [], "curl": [], "wget2": [], "aiohttp": []}
        some = count

    def work(name, requests, address):
        return peers.url_list(bench.lab, f"{name}-{kind}", (url("1k", i, address(i))
                                                            for i in range(requests)))

    apart = work("hosts", count, host_address)
    apart_some = work("hosts-some", some, host_address)
    same = work("host", count, lambda i: host_address(0))
    weir = [bench.weir, "-j", str(AT_ONCE), "--no-compressed", *trust["weir"]]

    def job(name, argv, requests, **more):
        return Job(name, argv, requests, expect=requests * SIZE, base=f"weir, {kind}", **more)

    return [
        job(f"weir, {kind}", weir, count, stdin=apart),
        job(f"weir, {kind}, one host", weir, count, stdin=same),
        job(f"curl -Z, {kind}", peers.curl(apart, AT_ONCE, *trust["curl"]), count,
            note="no order, torn"),
        job(f"wget2, {kind}", peers.wget2(apart_some, AT_ONCE, *trust["wget2"]), some,
            note="no order"),
        job(f"asyncio+aiohttp, {kind}", peers.aiohttp(AT_ONCE, *trust["aiohttp"]), some,
            stdin=apart_some),
    ]


def kept_jobs(bench):
    """Each host is asked ASKED times, and one host as often as all of these together. With a usual
    number in flight a host's connection is closed before its turn comes again; with as many in
    flight as there are hosts all of them are kept."""
    count = bench.count(bench.kept_hosts)
    requests = ASKED * count
    apart = peers.url_list(bench.lab, "kept", (
        bench.kept.url("1k", i, kept_address(i % count)) for i in range(requests)))
    same = peers.url_list(bench.lab, "kept-one", (
        bench.kept.url("1k", i, kept_address(0)) for i in range(requests)))

    def weir(name, at_once, stdin, hosts):
        return Job(name, [bench.weir, "-j", str(at_once), "--no-compressed"], requests, stdin=stdin,
                   expect=requests * SIZE, base="weir, in turn",
                   note=f"{hosts}, {at_once:,} in flight")

    return [
        weir("weir, in turn", AT_ONCE, apart, f"{count:,} hosts"),
        weir("weir, in turn, one host", AT_ONCE, same, "one host"),
        weir("weir, kept", count, apart, f"{count:,} hosts"),
        weir("weir, kept, one host", count, same, "one host"),
    ]
