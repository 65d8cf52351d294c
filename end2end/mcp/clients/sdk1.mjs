// The official TypeScript SDK, version 1. It validates results with the output schema of their tool.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

/** Connects with a token. Returns `{ names, call, close }`. */
export async function connect(endpoint, token) {
  const client = new Client({ name: 'sdk1', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(endpoint), { requestInit: { headers: { authorization: `Bearer ${token}` } } }));
  // The list gives the client the output schemas.
  const { tools } = await client.listTools();
  return {
    names: tools.map((tool) => tool.name),
    call: (name, args) => client.callTool({ name, arguments: args }),
    close: () => client.close(),
  };
}
