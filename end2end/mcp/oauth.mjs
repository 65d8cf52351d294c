// OAuth with the official TypeScript client: it gets only the URL of the MCP endpoint, and a person answers in a browser.
import { createServer } from 'node:http';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

/** What the client remembers, as a program keeps it on disk. `opened` is the page that the program would open in a browser. */
export class Memory {
  constructor(redirectUrl, metadata = {}) {
    this.redirectUrl = redirectUrl;
    this.clientMetadata = { client_name: 'End-to-end agent', redirect_uris: [redirectUrl], ...metadata };
  }
  state = () => 'state-of-the-client';
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.saved;
  saveTokens = (tokens) => void (this.saved = tokens);
  invalidateCredentials = (what) => {
    if (what === 'all' || what === 'tokens') this.saved = undefined;
    if (what === 'all' || what === 'client') this.client = undefined;
  };
  redirectToAuthorization = (url) => void (this.opened = url);
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  codeVerifier = () => this.verifier;
  discoveryState = () => this.discovered;
  saveDiscoveryState = (state) => void (this.discovered = state);
}

/** The callback of a program on this computer. `answered` is the parameters of the redirect. */
export async function callback() {
  let answer;
  const answered = new Promise((resolve) => (answer = resolve));
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://127.0.0.1');
    if (pathname === '/callback') answer(searchParams);
    response.end('You can close this page.');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}/callback`;
  return { url, answered, close: () => server.close() };
}

/** A connection to the endpoint with what the client remembers; `allow(url)` lets the client in, as the person does in a browser. */
export async function connectWithOAuth(endpoint, memory, allow) {
  const attempt = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider: memory });
    const client = new Client({ name: 'end2end', version: '1.0.0' });
    try {
      await client.connect(transport);
      return { client };
    } catch (error) {
      if (!(error instanceof UnauthorizedError)) throw error;
      return { transport };
    }
  };
  const first = await attempt();
  if (first.client) return first.client;
  await first.transport.finishAuth(await allow(memory.opened));
  const { client } = await attempt();
  return client;
}
