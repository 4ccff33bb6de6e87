"""fetch_aiohttp.py LIMIT [AUTHORITIES] < URLS > BODIES: what one writes with asyncio, aiohttp and a
semaphore.
"""

import asyncio
import ssl
import sys

import aiohttp


async def fetch(session, semaphore, url):
    async with semaphore, session.get(url) as answer:
        answer.raise_for_status()
        return await answer.read()


async def main(limit, *authorities):
    urls = sys.stdin.read().split()
    semaphore = asyncio.Semaphore(limit)
    trust = {"ssl": ssl.create_default_context(cafile=authorities[0])} if authorities else {}
    connector = aiohttp.TCPConnector(limit=limit, **trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        for body in await asyncio.gather(*(fetch(session, semaphore, url) for url in urls)):
            sys.stdout.buffer.write(body)


asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
