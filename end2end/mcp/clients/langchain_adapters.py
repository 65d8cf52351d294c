"""LangChain's adapters: tools as LangChain gives them to a model."""

from journey import Result, journey, main
from langchain_core.tools import ToolException
from langchain_mcp_adapters.client import MultiServerMCPClient


async def client(endpoint, headers, proposal):
    server = {"transport": "streamable_http", "url": endpoint, "headers": headers}
    tools = {tool.name: tool for tool in await MultiServerMCPClient({"loopiq": server}).get_tools()}

    async def call(name, arguments):
        try:
            output = await tools[name].ainvoke(arguments)
        except ToolException as refusal:
            return Result(str(refusal), True)
        return Result(output if isinstance(output, str) else "\n".join(block["text"] for block in output))

    return await journey(tools, call, proposal)


main(client)
