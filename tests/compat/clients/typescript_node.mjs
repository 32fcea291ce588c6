// The SDKs on Node.js, over HTTP and over stdio: `node typescript_node.mjs URL TOKEN`.
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import * as later from '@modelcontextprotocol/client/stdio';
import { clients, use, useAll } from './typescript.mjs';

const [url, token] = process.argv.slice(2);
const seen = await useAll(url, token);
for (const [name, { client }] of Object.entries(clients)) {
  const Kind = name.includes('/sdk') ? StdioClientTransport : later.StdioClientTransport;
  const server = { command: 'cio-mcp', args: [], env: { ...process.env, CIO_PERMISSIONS: 'read' } };
  seen[`${name} stdio`] = await use(client(), new Kind(server));
}
console.log(JSON.stringify(seen));
