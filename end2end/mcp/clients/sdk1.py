"""The official Python SDK, version 1."""

from journey import Result, journey, main, text_of
from mcp import ClientSession
from mcp.client.streamable_http import streamablehttp_client


async def client(endpoint, headers, proposal):
    async with streamablehttp_client(endpoint, headers=headers) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()

            async def call(name, arguments):
                result = await session.call_tool(name, arguments)
                return Result(text_of(result), result.isError, result.structuredContent)

            names = [tool.name for tool in (await session.list_tools()).tools]
            return await journey(names, call, proposal)


main(client)
