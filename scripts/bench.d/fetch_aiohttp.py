"""fetch_aiohttp.py LIMIT < URLS > BODIES: what one writes with asyncio, aiohttp and a semaphore."""

import asyncio
import sys

import aiohttp


async def fetch(session, semaphore, url):
    async with semaphore, session.get(url) as answer:
        answer.raise_for_status()
        return await answer.read()


async def main(limit):
    urls = sys.stdin.read().split()
    semaphore = asyncio.Semaphore(limit)
    connector = aiohttp.TCPConnector(limit=limit)
    async with aiohttp.ClientSession(connector=connector) as session:
        for body in await asyncio.gather(*(fetch(session, semaphore, url) for url in urls)):
            sys.stdout.buffer.write(body)


asyncio.run(main(int(sys.argv[1])))
