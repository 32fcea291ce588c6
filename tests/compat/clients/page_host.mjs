// A host as the bridge of MCP Apps makes it: it shows a page in a frame of no origin, and hands it a tool's answer.
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

const { page, answer } = await (await fetch("/case.json")).json();
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts";
document.body.append(frame);
const bridge = new AppBridge(null, { name: "host", version: "1" }, {}, { hostContext: { theme: "dark" } });
bridge.oninitialized = async () => {
  await bridge.sendToolInput({ arguments: {} });
  await bridge.sendToolResult({ content: [], structuredContent: answer });
};
let escaped = false; // what a name would say if it were code
addEventListener("message", ({ data }) => { escaped ||= data === "out"; });
bridge.onsizechange = ({ height }) => {
  // What waits for an answer is a line; with the answer the page is longer.
  if (height > 200) fetch("/", { method: "POST", body: JSON.stringify({ page: { height, escaped } }) });
};
const connected = bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
frame.srcdoc = page;
await connected;
