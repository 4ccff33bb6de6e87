"""The servers: Debian's nginx for what is fast, the project's scripted origin for what is late."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from lab import Trouble

# Bodies by name, in bytes.
FILES = {"1k": 1 << 10, "20k": 20000, "10m": 10 << 20}
HOSTS_MAX = 2000
PATIENCE = 10
TRIES = 8  # another program may take a port between our look and nginx's

NGINX = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type application/octet-stream;
    client_body_temp_path temp;
    proxy_temp_path temp;
    fastcgi_temp_path temp;
    uwsgi_temp_path temp;
    scgi_temp_path temp;
    root files;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    keepalive_requests 100000000;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /status {{ stub_status; }}
    }}
    server {{
        {listens}
        keepalive_timeout 0;
    }}
}}
"""


def host_address(number):
    """One of HOSTS_MAX addresses, all of them loopback."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    def __init__(self, lab):
        self.lab = lab
        self.dir = lab.path("nginx")
        os.makedirs(os.path.join(self.dir, "files"))
        for name, size in FILES.items():
            with open(os.path.join(self.dir, "files", name), "wb") as file:
                file.write(os.urandom(size))
        if not any(self._start() for _ in range(TRIES)):
            raise Trouble("nginx does not start")

    def _start(self):
        self.port = free_port()
        self._write_config()
        process = self.lab.start(
            [nginx_program(), "-p", self.dir, "-c", "nginx.conf", "-e", "error.log"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and process.poll() is None:
            try:
                self.requests()
                return True
            except OSError:
                time.sleep(0.05)
        self.lab.bury(process)
        return False

    def _write_config(self):
        listens = "".join(f"listen {host_address(i)}:{self.port};\n" for i in range(HOSTS_MAX))
        # A worker that gives up root cannot read what only its user may.
        user = "user " + pwd.getpwuid(0).pw_name + ";" if os.getuid() == 0 else ""
        with open(os.path.join(self.dir, "nginx.conf"), "w") as file:
            file.write(NGINX.format(user=user, port=self.port, listens=listens))

    def url(self, name, number=0, host="127.0.0.1"):
        return f"http://{host}:{self.port}/{name}?n={number}"

    def requests(self):
        """How many requests it has had so far, this one included."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/status", timeout=PATIENCE) as answer:
            return int(re.search(rb"\n \d+ \d+ (\d+)", answer.read())[1])


def nginx_program():
    path = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise Trouble("nginx is not installed")
    return path


class Origin:
    """The project's scripted origin; see tests/lib/origin_script.h for its URLs."""

    def __init__(self, lab, program):
        self.process = lab.start([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 text=True)
        address = self.process.stdout.readline().strip()
        if not address:
            raise Trouble("the scripted origin does not start")
        self.base = address if address.startswith("http://") else f"http://{address}"

    def url(self, size, number=0, **script):
        words = "".join(f"&{name}={value}" for name, value in script.items())
        return f"{self.base}/bytes/{size}?tag={number}{words}"
