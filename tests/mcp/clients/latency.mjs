// How long a call takes the official TypeScript client over a connection that it keeps, beside the
// same call as a plain request of the API, in turns. Says both medians in milliseconds as JSON.
//
// Usage: latency.mjs ADDRESS KEY

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const ROUNDS = 10;
const CALLS = 200;

const [address, key] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${key}` };
const args = { text: "How long does this take?", n: 1 };

const client = new Client({ name: "latency", version: "1.0.0" });
const url = new URL(`${address}/mcp`);
await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
await client.listTools();

async function plain() {
  const response = await fetch(`${address}/api/v1/tools/echo-run/call`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ arguments: args }),
  });
  const answer = await response.json();
  if (answer.result.n !== 1) throw new Error(JSON.stringify(answer));
}

async function mcp() {
  const answer = await client.callTool({ name: "echo-run", arguments: args });
  if (answer.structuredContent.result.n !== 1) throw new Error(JSON.stringify(answer));
}

async function time(call, times) {
  for (let n = 0; n < CALLS; n++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
}

const median = (times) => times.sort((one, other) => one - other)[times.length >> 1];

await time(plain, []);
await time(mcp, []);
const [plainly, byMcp] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  await time(plain, plainly);
  await time(mcp, byMcp);
}
await client.close();
console.log(JSON.stringify({ plain: median(plainly), mcp: median(byMcp) }));
