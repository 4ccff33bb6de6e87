#!/usr/bin/env python3
"""Makes page.html with its style and its script a source: embed.py HTML CSS JS OUTPUT.

What may run in the page is named by its hash, so that nothing else does.
"""

import base64
import hashlib
import re
import sys

PARTS = ["head", "middle", "tail"]


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def fill(page, places):
    for name, text in places.items():
        place = "{{" + name + "}}"
        if page.count(place) != 1:
            sys.exit(f"page.html: {place} must stand there once")
        page = page.replace(place, text)
    return page


def as_array(name, text):
    numbers = [str(byte) for byte in text.encode()]
    lines = [",".join(numbers[at : at + 24]) for at in range(0, len(numbers), 24)]
    return (
        f"const unsigned char page_{name}[] = {{\n    "
        + ",\n    ".join(lines)
        + f"}};\nconst size_t page_{name}_len = sizeof page_{name};\n"
    )


def main():
    html, css, js = (open(path, encoding="utf-8").read() for path in sys.argv[1:4])
    if "</" + "script" in js or "<!--" in js or "</" + "style" in css:
        sys.exit("page: the style or the script would end too early")
    page = fill(html, {"style-hash": digest(css), "script-hash": digest(js)})
    page = fill(page, {"style": css, "script": js})
    texts = re.split(r"\{\{(?:plain|data)\}\}", page)
    if len(texts) != len(PARTS) or page.index("{{plain}}") > page.index("{{data}}"):
        sys.exit("page.html: {{plain}} and then {{data}} must stand there once")
    with open(sys.argv[4], "w", encoding="utf-8") as out:
        out.write('#include "report/page_parts.h"\n\n')
        out.write("\n".join(as_array(name, text) for name, text in zip(PARTS, texts)))


main()
