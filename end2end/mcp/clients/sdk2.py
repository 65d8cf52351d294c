"""The official Python SDK, version 2."""

import httpx2
from journey import Result, journey, main, text_of
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def client(endpoint, headers, proposal):
    async with httpx2.AsyncClient(headers=headers) as http_client:
        async with Client(streamable_http_client(endpoint, http_client=http_client)) as connected:

            async def call(name, arguments):
                result = await connected.call_tool(name, arguments)
                return Result(text_of(result), bool(result.is_error), result.structured_content)

            names = [tool.name for tool in (await connected.list_tools()).tools]
            return await journey(names, call, proposal)


main(client)
