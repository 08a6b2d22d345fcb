// node https.mjs URL CA COUNT: GETs with Node's https over one kept-alive connection; prints a line of JSON.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';

const [url, ca, count] = process.argv.slice(2);
const agent = new https.Agent({ ca: readFileSync(ca), keepAlive: true, maxSockets: 1 });

const get = () => new Promise((resolve, reject) => {
  https.get(url, { agent, servername: 'localhost' }, (response) => {
    const hash = createHash('sha256');
    const protocol = response.socket.getProtocol();
    const port = response.socket.localPort;
    response.on('data', (chunk) => hash.update(chunk));
    response.on('error', reject);
    response.on('end', () => resolve({ status: response.statusCode, protocol, port, sha256: hash.digest('hex') }));
  }).on('error', reject);
});

const answers = [];
for (let i = 0; i < Number(count); i++) answers.push(await get());
agent.destroy();
console.log(JSON.stringify(answers));
