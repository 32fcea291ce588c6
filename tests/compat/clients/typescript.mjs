// What both generations of MCP's TypeScript SDK do with a server, in a page and on Node.js alike.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as later from '@modelcontextprotocol/client';

const headers = { 'X-CIO-Permissions': 'read' };

const remote = (transports, token) => (path, url) => {
  const options = { requestInit: { headers: { ...headers, Authorization: `Bearer ${token}` } } };
  const Kind = path === '/sse' ? transports.SSEClientTransport : transports.StreamableHTTPClientTransport;
  return new Kind(new URL(url + path), options);
};

// By the package's name and the revision of MCP that it shall speak.
export const clients = {
  '@modelcontextprotocol/sdk': {
    client: () => new Client({ name: 'compat', version: '1' }),
    remote: (token) => remote({ SSEClientTransport, StreamableHTTPClientTransport }, token),
    paths: ['/mcp', '/sse'],
  },
  '@modelcontextprotocol/client legacy': {
    client: () => new later.Client({ name: 'compat', version: '1' }),
    remote: (token) => remote(later, token),
    paths: ['/mcp', '/sse'],
  },
  '@modelcontextprotocol/client 2026-07-28': {
    client: () =>
      new later.Client(
        { name: 'compat', version: '1' },
        { versionNegotiation: { mode: { pin: '2026-07-28' } } },
      ),
    remote: (token) => remote(later, token),
    paths: ['/mcp'],
  },
};

// Connect, list, call well and badly; returns what was seen.
export async function use(client, transport) {
  await client.connect(transport);
  const { tools } = await client.listTools();
  const call = (customer_id) => client.callTool({ name: 'get_customer', arguments: { customer_id } });
  const [ada, nobody] = [await call('u_1001'), await call('nobody')];
  await client.close();
  return {
    tools: tools.map((tool) => tool.name),
    email: ada.structuredContent.email,
    failed: nobody.isError,
  };
}

// Use a server at an address in every way; returns what each saw, or why it saw nothing.
export async function useAll(url, token) {
  const seen = {};
  for (const [name, { client, remote, paths }] of Object.entries(clients)) {
    for (const path of paths) {
      try {
        seen[`${name} ${path}`] = await use(client(), remote(token)(path, url));
      } catch (error) {
        seen[`${name} ${path}`] = { error: String(error) };
      }
    }
  }
  return seen;
}
