// The official TypeScript client against a host: lists and calls, and says as JSON what it saw.
//
// Usage: client.mjs http URL KEY | client.mjs stdio COMMAND [ARGUMENT...]

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [kind, ...rest] = process.argv.slice(2);

function transport() {
  if (kind === "http") {
    const [url, key] = rest;
    const headers = { Authorization: `Bearer ${key}` };
    return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
  }
  const [command, ...args] = rest;
  return new StdioClientTransport({ command, args });
}

const client = new Client({ name: "suite", version: "1.0.0" });
const connection = transport();
await client.connect(connection);

const call = (name, args, options) =>
  client.callTool({ name, arguments: args }, undefined, options);
const progress = [];
const listed = await client.listTools();
const echoed = await call("echo-run", { text: "ä 👩", n: 3 });
const failed = await call("trap-run", {});
const reported = await call("report-run", {}, { onprogress: (told) => progress.push(told.progress) });
const unknown = await call("no-such", {}).then(
  () => null,
  (error) => String(error),
);
const taking = new AbortController();
const endless = call("spin-run", {}, { signal: taking.signal }).then(
  () => "answered",
  () => "taken back",
);
setTimeout(() => taking.abort(), 100);
const cancelled = await endless;
const many = await Promise.all(
  Array.from({ length: 200 }, (_, n) => call("echo-run", { n })),
);
await connection.terminateSession?.();
await client.close();

console.log(
  JSON.stringify({
    tools: listed.tools.map((tool) => tool.name),
    echoed: echoed.structuredContent,
    failed: { is_error: failed.isError, text: failed.content[0].text },
    reported: reported.structuredContent,
    progress,
    unknown,
    cancelled,
    many: many.map((one) => one.structuredContent.result.n),
  }),
);
