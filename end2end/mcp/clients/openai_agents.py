"""The OpenAI Agents SDK: its MCP server class, and the tools as it gives them to a model, with schemas in its strict form. No model is called."""

import json

from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStreamableHttp, MCPUtil
from agents.tool_context import ToolContext
from journey import Result, journey, main


async def client(endpoint, headers, proposal):
    params = {"url": endpoint, "headers": headers}
    async with MCPServerStreamableHttp(params=params, cache_tools_list=True) as server:
        agent = Agent(name="probe", mcp_servers=[server], mcp_config={"convert_schemas_to_strict": True})
        tools = {tool.name: tool for tool in await MCPUtil.get_all_function_tools([server], True, RunContextWrapper(None), agent)}

        async def call(name, arguments):
            # The SDK hands a model the text of a result, or its structured content as text.
            words = json.dumps(arguments)
            context = ToolContext(None, tool_name=name, tool_call_id="call-1", tool_arguments=words)
            output = await tools[name].on_invoke_tool(context, words)
            text = output["text"] if isinstance(output, dict) else output
            return Result(text, text.startswith("The arguments do not fit"))

        found = await journey(tools, call, proposal)
        found["strict"] = {name: tool.strict_json_schema for name, tool in tools.items()}
        found["schemas"] = {name: tool.params_json_schema for name, tool in tools.items()}
        return found


main(client)
