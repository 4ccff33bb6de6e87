"""Certificates for addresses, and the authority that they are trusted by: by openssl, P-256, for two
days. Files in `folder`: NAME.pem and NAME.key; the authority is `ca`."""

import os
import subprocess

from lab import Trouble

SETTINGS = """
[req]
distinguished_name = nobody
prompt = no
[nobody]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = @names
[names]
{names}
"""


def make_authority(folder):
    _make(folder, "ca", [], "authority")


def make(folder, name, addresses):
    _make(folder, name, addresses, "server", "-CA", "ca.pem", "-CAkey", "ca.key")


def _make(folder, name, addresses, section, *options):
    names = "\n".join(f"IP.{number} = {address}" for number, address in enumerate(addresses))
    with open(os.path.join(folder, name + ".cnf"), "w", encoding="ascii") as file:
        file.write(SETTINGS.format(name=f"weir bench {name}", names=names or "IP.0 = 127.0.0.1"))
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-config", name + ".cnf", "-extensions", section,
             "-keyout", name + ".key", "-out", name + ".pem", *options],
            cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except subprocess.CalledProcessError as error:
        raise Trouble("openssl makes no certificate: " + error.stderr.strip()[-200:]) from error
