import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const url = new URL(process.env.CIO_MCP_URL); // https://cio.example.com/mcp, or …/sse
const Transport = url.pathname.endsWith('/sse') ? SSEClientTransport : StreamableHTTPClientTransport;
const headers = { Authorization: `Bearer ${process.env.CIO_MCP_TOKEN}` };

const client = new Client({ name: 'my-agent', version: '1.0.0' });
await client.connect(new Transport(url, { requestInit: { headers } }));
try {
  const { tools } = await client.listTools(); // a model takes name, description and inputSchema of each
  console.log(...tools.map((tool) => tool.name));
  const call = { name: 'get_customer', arguments: { customer_id: 'u_1001' } }; // as the model asks
  const answer = await client.callTool(call);
  console.log(answer.isError ? 'failed:' : 'done:', answer.content[0].text); // goes back to the model
} finally {
  await client.close();
}
