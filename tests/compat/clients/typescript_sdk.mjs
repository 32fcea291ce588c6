import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';

const client = new Client({ name: 'my-agent', version: '1.0.0' });
await client.connect(new StdioClientTransport({ command: 'cio-mcp', env: { CIO_SANDBOX: 'on' } }));
try {
  const { tools } = await client.listTools(); // a model takes name, description and inputSchema of each
  console.log(...tools.map((tool) => tool.name));
  const call = { name: 'get_customer', arguments: { customer_id: 'u_1001' } }; // as the model asks
  const answer = await client.callTool(call);
  console.log(answer.isError ? 'failed:' : 'done:', answer.content[0].text); // goes back to the model
} finally {
  await client.close();
}
