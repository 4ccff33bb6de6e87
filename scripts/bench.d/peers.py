"""The peers: where each is, its version, and the command line that does a list of URLs with it."""

import os
import re
import shutil
import subprocess

PYTHON = "/usr/bin/python3"  # the one that Debian's aiohttp is for
FILES_DIR = "out.d"  # where in the lab bodies go that are to be files of their own

VERSION_ARGUMENTS = {
    "weir": ["-V"], "curl": ["-V"], "wget2": ["-V"], "aria2c": ["-v"], "xargs": ["--version"],
    "parallel": ["--version"], "h2load": ["--version"], "nginx": ["-v"],
    "aiohttp": ["-c", "import aiohttp; print('aiohttp', aiohttp.__version__)"],
}


def versions(programs):
    """What each program calls itself; those that are not there are left out."""
    found = {}
    for name, path in programs.items():
        try:
            done = subprocess.run([path, *VERSION_ARGUMENTS[name]], capture_output=True, text=True,
                                  timeout=10, stdin=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.SubprocessError):
            continue
        text = re.sub(r"\([^)]*\)", "", done.stdout + done.stderr)
        number = re.search(r"\d+(\.\d+)+|\d{8}", text)
        found[name] = f"{name} {number[0] if number else '?'}"
    return found


def find_programs(weir, nginx):
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    programs = {"weir": weir, "nginx": nginx, "aiohttp": PYTHON}
    for name in VERSION_ARGUMENTS:
        if name not in programs and shutil.which(name, path=path):
            programs[name] = shutil.which(name, path=path)
    return programs


# ---- work ------------------------------------------------------------------------------------


def url_list(lab, name, urls):
    """Writes the list, in each of the forms that somebody reads; its path, for the plain one."""
    path = lab.path(name)
    with open(path, "w", encoding="ascii") as plain, \
            open(path + ".curl", "w", encoding="ascii") as curl, \
            open(path + ".aria2", "w", encoding="ascii") as aria2:
        for number, url in enumerate(urls):
            plain.write(f"{url}\n")
            curl.write(f'url = "{url}"\n')
            aria2.write(f"{url}\n  out={number}\n")
    return path


def request_list(lab, name, urls):
    """The same as JSON requests, with no more in them than the URL."""
    path = lab.path(name)
    with open(path, "w", encoding="ascii") as out:
        for url in urls:
            out.write(f'{{"url":"{url}"}}\n')
    return path


def output_list(lab, name, urls):
    """For curl alone, a file for each body; see `curl`."""
    path = lab.path(name)
    with open(path + ".curl", "w", encoding="ascii") as curl_list:
        for number, url in enumerate(urls):
            curl_list.write(f'url = "{url}"\noutput = "{FILES_DIR}/{number}"\n')
    return path


# ---- command lines, each for the list at `path` and so many at once ---------------------------


def curl(path, at_once, *options):
    return ["curl", "-s", "--no-progress-meter", "-Z", "--parallel-max", str(at_once), *options,
            "-K", path + ".curl"]


def wget2(path, at_once, *options):
    return ["wget2", "-q", "--no-config", "--no-hsts", "--max-threads", str(at_once), *options,
            "-i", path, "-O", "-"]


def aria2(path, at_once):
    return ["aria2c", "-q", "--no-conf", "-j", str(at_once), "-x", "1", "--file-allocation=none",
            "-d", FILES_DIR, "-i", path + ".aria2"]


def xargs_curl(path, at_once):
    return ["xargs", "-a", path, "-n", "1", "-P", str(at_once), "curl", "-s"]


def parallel_curl(path, at_once):
    return ["parallel", "--will-cite", "-k", "-j", str(at_once), "-a", path, "curl", "-s"]


def aiohttp(at_once, *authority):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetch_aiohttp.py")
    return [PYTHON, script, str(at_once), *authority]


def libcurl_alone(lab, url, requests, at_once):
    return [lab.path("bare"), url, str(requests), str(at_once)]


def h2load(url, requests, at_once):
    return ["h2load", "--h1", "-t", "1", "-n", str(requests), "-c", str(at_once), url]


def h2load_streams(url, requests, at_once):
    """Over one connection."""
    return ["h2load", "-t", "1", "-n", str(requests), "-c", "1", "-m", str(at_once), url]
