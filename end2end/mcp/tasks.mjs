// The official client of the Tasks extension (@modelcontextprotocol/ext-tasks) on a connection of the official SDK.
import { createApplicationInputHandler, createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client';
import { connect } from './client.mjs';

const PROTOCOL = '2026-07-28';
const unsupported = () => Promise.reject(new Error('this client was not asked to support it'));

/** Connects with a token. `answer(question)` gets a reviewer's question and returns the answer. */
export async function connectWithTasks(url, token, answer) {
  const client = await connect(url, token);
  // The SDK leaves messages of the extension to the program.
  const rawDispatch = async (request, { signal } = {}) => {
    const { params } = request;
    const name = params.name ?? params.taskId;
    const response = await fetch(new URL('/mcp', url), {
      method: 'POST',
      signal,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        'mcp-protocol-version': PROTOCOL,
        'mcp-method': request.method,
        ...(name && { 'mcp-name': name }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }),
    });
    const { result, error } = await response.json();
    return error ? { kind: 'error', error } : { kind: 'result', result };
  };
  const session = createTaskSessionFromClient(client, {
    endpointId: url,
    rawDispatch,
    v2RequestFraming: {
      protocolVersion: PROTOCOL,
      clientInfo: { name: 'ext-tasks', version: '1.0.0' },
      clientCapabilities: { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } },
    },
    onInputRequest: createApplicationInputHandler({
      elicitation: async (request) => ({ action: 'accept', content: { answer: await answer(request) } }),
      sampling: unsupported,
      roots: unsupported,
    }),
  });
  return { client, session, close: async () => { await session.close(); await client.close(); } };
}
