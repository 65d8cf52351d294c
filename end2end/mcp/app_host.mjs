// A host of MCP Apps: a page with the sandbox that the extension demands, and the extension's official AppBridge, which runs in this process and talks
// to the app through the page.
import { AppBridge } from '@modelcontextprotocol/ext-apps/app-bridge';

const HOST = 'http://host.test/';
/** The policy that the extension demands of a host for an app that declares no origins. */
const POLICY = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; media-src 'self' data:; connect-src 'none'";

const page_of = (html) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<style>html, body { margin: 0; } iframe { border: 0; width: 100%; height: 100vh; display: block; }</style></head><body>
<iframe title="App" sandbox="allow-scripts" srcdoc="${html.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}"></iframe>
<script>
const app = document.querySelector('iframe');
addEventListener('message', ({ source, data }) => { if (source === app.contentWindow) toHost(data); });
const toApp = (data) => app.contentWindow.postMessage(data, '*');
</script></body></html>`;

/**
 * Shows an app in a page. `opens` says whether the host opens links. Returns `{ app, bridge, links, requests, sizes }`: the frame of the app, the bridge,
 * the links that the app asked to open, every address that the page requested, and the sizes that the app reported.
 */
export async function show(page, html, { theme = 'light', opens = true } = {}) {
  const [links, requests, sizes] = [[], [], []];
  const capabilities = opens ? { openLinks: {} } : {};
  const bridge = new AppBridge(null, { name: 'test-host', version: '1.0.0' }, capabilities, { hostContext: { theme, displayMode: 'inline' } });
  bridge.onopenlink = async ({ url }) => {
    links.push(url);
    return opens ? {} : { isError: true };
  };
  bridge.onsizechange = (size) => void sizes.push(size);
  const ready = new Promise((resolve) => (bridge.oninitialized = resolve));
  const transport = {
    start: async () => {},
    close: async () => {},
    send: (message) => page.evaluate((data) => globalThis.toApp?.(data) ?? toApp(data), message),
  };
  await page.exposeBinding('toHost', (_, data) => transport.onmessage?.(data));
  page.on('request', (request) => requests.push(request.url()));
  await page.route(HOST, (route) => route.fulfill({ contentType: 'text/html', body: page_of(html) }));
  await bridge.connect(transport);
  await page.goto(HOST);
  await ready;
  return { app: page.frameLocator('iframe'), bridge, links, requests, sizes };
}
