"""The servers: Debian's nginx for what is fast, the project's scripted origin for what is late."""

import os
import pwd
import random
import re
import shutil
import socket
import subprocess
import time
import urllib.request

import certificates
from lab import Trouble

# Bodies by name, in bytes.
FILES = {"1k": 1 << 10, "20k": 20000, "10m": 10 << 20, "text": 1 << 10}
HOSTS_MAX = 2000  # with a fresh connection for each request
KEPT_MAX = 5000  # whose connections are kept
FILES_MAX = 20000  # descriptors, of nginx and of each program
HOSTS_A_CERTIFICATE = 250
PATIENCE = 10
TRIES = 8  # another program may take a port between our look and nginx's

NGINX = """
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {files_max};
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 16384; }}
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
    {servers}
}}
"""

FRESH = """
    server {{
        {listens}
        keepalive_timeout 0;
    }}
"""

KEPT = """
    server {{
        {listens}
        keepalive_timeout 600;
    }}
"""

# One that keeps connections, one that does not and tells of each whether its session was resumed
# (`r`, else `.`), one that speaks HTTP/2.
TLS = """
    ssl_certificate own.pem;
    ssl_certificate_key own.key;
    ssl_session_cache shared:tls:10m;
    log_format reused $ssl_session_reused;
    http2_max_concurrent_streams 256;
    server {{
        listen {keeping}:{port} ssl backlog=4096;
    }}
    server {{
        listen {fresh}:{port} ssl backlog=4096;
        keepalive_timeout 0;
        access_log reused.log reused;
    }}
    server {{
        listen {h2}:{port} ssl http2 backlog=4096;
    }}
"""

TLS_HOSTS = """
    server {{
        {listens}
        keepalive_timeout 0;
        ssl_certificate hosts-{number}.pem;
        ssl_certificate_key hosts-{number}.key;
    }}
"""


def host_address(number):
    """One of HOSTS_MAX addresses, all of them loopback."""
    return f"127.1.{number // 250}.{number % 250 + 1}"


def kept_address(number):
    """One of KEPT_MAX."""
    return f"127.2.{number // 250}.{number % 250 + 1}"


def listen(addresses, port, *words):
    return "".join(f"listen {' '.join([f'{address}:{port}', *words])};\n" for address in addresses)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def page_of_text(size):
    """ASCII as pages and APIs have it: short lines, quotes."""
    chance = random.Random(1)
    words = "a about answer by city each first from list name of open page route the time to word".split()
    text = ""
    while len(text) < size:
        some = " ".join(chance.choices(words, k=chance.randint(4, 9)))
        form = chance.choice(('<p class="{0}">{1}.</p>\n', '  "{0}": "{1}",\n', "{1}, {0}\n"))
        text += form.format(chance.choice(words), some)
    return text[:size].encode()


class Nginx:
    """One nginx. `servers` are those beside the one at 127.0.0.1, whose connections are kept; a
    function of the port, for all of them have the same."""

    def __init__(self, lab, name="nginx", servers=lambda port: ""):
        self.lab = lab
        self.dir = lab.path(name)
        self.servers = servers
        os.makedirs(os.path.join(self.dir, "files"), exist_ok=True)
        for file_name, size in FILES.items():
            with open(os.path.join(self.dir, "files", file_name), "wb") as file:
                file.write(page_of_text(size) if file_name == "text" else os.urandom(size))
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
        # A worker that gives up root cannot read what only its user may.
        user = "user " + pwd.getpwuid(0).pw_name + ";" if os.getuid() == 0 else ""
        with open(os.path.join(self.dir, "nginx.conf"), "w", encoding="ascii") as file:
            file.write(NGINX.format(user=user, port=self.port, files_max=FILES_MAX,
                                    servers=self.servers(self.port)))

    def url(self, name, number=0, host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}/{name}?n={number}"

    def requests(self):
        """How many requests it has had so far, this one included."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}/status", timeout=PATIENCE) as answer:
            return int(re.search(rb"\n \d+ \d+ (\d+)", answer.read())[1])


def plain_nginx(lab):
    """It has HOSTS_MAX hosts that close after each request, too."""
    addresses = [host_address(i) for i in range(HOSTS_MAX)]
    return Nginx(lab, "nginx", lambda port: FRESH.format(listens=listen(addresses, port)))


def kept_nginx(lab, count):
    """So many hosts whose connections stay."""
    addresses = [kept_address(i) for i in range(count)]
    return Nginx(lab, "nginx-kept", lambda port: KEPT.format(listens=listen(addresses, port)))


class TlsNginx(Nginx):
    """Over TLS: `keeping`, `fresh`, `h2`, and HOSTS_MAX hosts that close after each request. These
    have a certificate for 250 of them: one for all would be 12 kB in each handshake, and to check
    none would not be what people do. `authority` is the file that all are to be trusted by."""

    keeping = "127.0.0.2"
    fresh = "127.0.0.3"
    h2 = "127.0.0.4"

    def __init__(self, lab):
        self.authority = lab.path("nginx-tls", "ca.pem")
        os.makedirs(lab.path("nginx-tls"))
        certificates.make_authority(lab.path("nginx-tls"))
        certificates.make(lab.path("nginx-tls"), "own", [self.keeping, self.fresh, self.h2])
        self.parts = [[host_address(i) for i in range(first, first + HOSTS_A_CERTIFICATE)]
                      for first in range(0, HOSTS_MAX, HOSTS_A_CERTIFICATE)]
        for number, part in enumerate(self.parts):
            certificates.make(lab.path("nginx-tls"), f"hosts-{number}", part)
        super().__init__(lab, "nginx-tls", self._servers)
        self.reused_log = os.path.join(self.dir, "reused.log")

    def _servers(self, port):
        text = TLS.format(port=port, keeping=self.keeping, fresh=self.fresh, h2=self.h2)
        for number, part in enumerate(self.parts):
            text += TLS_HOSTS.format(listens=listen(part, port, "ssl"), number=number)
        return text

    def https(self, name, number, host):
        return self.url(name, number, host, "https")


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
