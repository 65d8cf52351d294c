"""The client of FastMCP."""

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport
from journey import Result, journey, main, text_of


async def client(endpoint, headers, proposal):
    async with Client(StreamableHttpTransport(endpoint, headers=headers)) as connected:

        async def call(name, arguments):
            result = await connected.call_tool(name, arguments, raise_on_error=False)
            return Result(text_of(result), result.is_error, result.structured_content)

        names = [tool.name for tool in await connected.list_tools()]
        return await journey(names, call, proposal)


main(client)
