// node http2.mjs ORIGIN CA PATH COUNT: COUNT streams at once over one HTTP/2 connection; prints a line of JSON.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';

const [origin, ca, path, count] = process.argv.slice(2);
const session = http2.connect(origin, { ca: readFileSync(ca), servername: 'localhost' });
session.on('error', (error) => { console.error(error); process.exit(1); });

const get = () => new Promise((resolve, reject) => {
  const stream = session.request({ ':path': path });
  const hash = createHash('sha256');
  let status;
  stream.on('response', (headers) => { status = headers[':status']; });
  stream.on('data', (chunk) => hash.update(chunk));
  stream.on('error', reject);
  stream.on('end', () => resolve({ status, protocol: session.alpnProtocol, sha256: hash.digest('hex') }));
  stream.end();
});

const answers = await Promise.all(Array.from({ length: Number(count) }, get));
session.close();
console.log(JSON.stringify(answers));
