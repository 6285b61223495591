import type { PacketSummary } from '../../contract/http.js';
import { AppError } from '../../util/errors.js';
import { cidrContains, parseCidr, parseIp } from '../../util/ip.js';

type Test = (packet: PacketSummary) => boolean;

function bad(message: string): AppError {
  return new AppError({ kind: 'user', code: 'search.invalid', message, fix: 'Known fields: ip: port: proto:' });
}

function testOf(field: string, value: string): Test {
  if (field === 'ip') {
    const network = parseCidr(value);
    if (!network) throw bad(`"${value}" is not an address.`);
    return ({ src, dst }) =>
      [src, dst].some((text) => {
        const ip = parseIp(text);
        return ip !== undefined && ip.version === network.version && cidrContains(network, ip);
      });
  }
  if (field === 'port') {
    const port = Number(value);
    if (!Number.isInteger(port)) throw bad(`"${value}" is not a port.`);
    return ({ srcPort, dstPort }) => srcPort === port || dstPort === port;
  }
  if (field === 'proto') return ({ proto }) => proto === value.toLowerCase();
  if (field === '') {
    const word = value.toLowerCase();
    return ({ src, dst, proto, info }) => `${src} ${dst} ${proto} ${info}`.toLowerCase().includes(word);
  }
  throw bad(`Unknown search field "${field}".`);
}

/**
 * Reads a search over packets: `ip:`, `port:`, `proto:` and words, `-` in front negates; all must hold.
 * @throws AppError search.invalid
 */
export function parsePacketFilter(q: string): Test {
  const tests = (q.match(/\S+/g) ?? []).slice(0, 20).map((term): Test => {
    const [, minus, field = '', value = ''] = /^(-?)(?:(ip|port|proto|[a-z]+(?=:)):)?(.+)$/.exec(term) ?? [];
    const test = testOf(field, value);
    return minus === '-' ? (packet) => !test(packet) : test;
  });
  return (packet) => tests.every((test) => test(packet));
}
