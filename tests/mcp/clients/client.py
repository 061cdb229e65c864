"""The official Python client against a host: lists and calls, and says as JSON what it saw.

Usage: client.py MODE http URL KEY | client.py MODE stdio COMMAND [ARGUMENT...]
MODE is `legacy` or `auto`.
"""

import asyncio
import contextlib
import json
import sys

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client


@contextlib.asynccontextmanager
async def http(url, key):
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, trust_env=False) as client:
        async with streamable_http_client(url, http_client=client) as streams:
            yield streams


def transport(kind, rest):
    if kind == "http":
        return http(*rest)
    return stdio_client(StdioServerParameters(command=rest[0], args=rest[1:]))


async def main(mode, kind, *rest):
    async with Client(transport(kind, list(rest)), mode=mode) as client:
        progress = []

        async def told(done, total, message):
            progress.append(done)

        listed = await client.list_tools()
        echoed = await client.call_tool("echo-run", {"text": "ä \U0001f469", "n": 3})
        failed = await client.call_tool("trap-run", {})
        reported = await client.call_tool("report-run", {}, progress_callback=told)
        try:
            await client.call_tool("no-such", {})
            unknown = None
        except Exception as error:
            unknown = str(error)
        many = await asyncio.gather(
            *(client.call_tool("echo-run", {"n": n}) for n in range(200))
        )
        print(
            json.dumps(
                {
                    "version": str(client.protocol_version),
                    "tools": [tool.name for tool in listed.tools],
                    "echoed": echoed.structured_content,
                    "failed": {"is_error": failed.is_error, "text": failed.content[0].text},
                    "reported": reported.structured_content,
                    "progress": progress,
                    "unknown": unknown,
                    "many": [call.structured_content["result"]["n"] for call in many],
                }
            )
        )


asyncio.run(main(*sys.argv[1:]))
