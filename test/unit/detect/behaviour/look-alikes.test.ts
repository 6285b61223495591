import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { packet, T0 } from '../../support/packets.js';
import { back, connection, handshake, Replay } from '../../support/replay.js';

const RST = TCP.RST | TCP.ACK;
const OWNER = [2, 0, 0, 0, 0, 1];
const OTHER = [2, 0, 0, 0, 0, 2];
const ASKER = [2, 0, 0, 0, 0, 9];

/** Fifty people at a web site, a few of whose connections are refused. */
function office(r: Replay): void {
  for (let i = 0; i < 400; i++) {
    const f = {
      at: i / 10,
      src: `10.0.3.${1 + (i % 50)}`,
      dst: `203.0.113.${1 + (i % 7)}`,
      sport: 20_000 + i,
      dport: 443,
    };
    if (i % 40 === 7) r.push(packet({ ...f, flags: TCP.SYN }), packet({ ...back(f), at: f.at + 0.01, flags: RST }));
    else r.push(...connection(f, [400, 1400, 300, 1400]));
  }
  r.wait(2);
}

test('a router that shows each packet twice makes no alert of an office, and no second one of a scan', () => {
  const r = new Replay({}, true);
  office(r);
  assert.deepEqual(r.labels(), []);
  const scan = (twice: boolean): number => {
    const s = new Replay({}, twice);
    for (let i = 0; i < 30; i++) {
      const probe = { at: i / 100, src: '10.0.0.66', sport: 50_000, dport: 1 + i };
      s.push(packet({ ...probe, flags: TCP.SYN }), packet({ ...back(probe), at: probe.at + 0.001, flags: RST }));
    }
    s.wait(1);
    return s.detections.length;
  };
  assert.equal(scan(true), scan(false));
  assert.equal(scan(false), 1);
});

test('health checks of a load balancer stay quiet, be the servers up or down', () => {
  const r = new Replay();
  for (let second = 0; second < 120; second++) {
    for (let server = 0; server < 15; server++) {
      for (const [i, port] of [80, 443, 8080, 8443, 9000, 22].entries()) {
        const f = {
          at: second + server / 50 + i / 1000,
          src: '10.0.9.1',
          dst: `10.0.8.${1 + server}`,
          sport: 10_000 + ((second * 97 + server * 7 + i) % 50_000),
          dport: port,
        };
        if (server === 3)
          r.push(packet({ ...f, flags: TCP.SYN }), packet({ ...back(f), at: f.at + 0.0005, flags: RST }));
        else r.push(...handshake(f), packet({ ...f, at: f.at + 0.004, flags: RST, ack: 501 }));
      }
    }
  }
  assert.deepEqual(r.labels(), []);
});

test('a misconfigured host that never gets an answer, or is always refused, is no scanner', () => {
  const r = new Replay();
  for (let i = 0; i < 600; i++) {
    r.push(
      packet({ at: i / 4, src: '10.0.0.50', dst: '10.0.0.51', proto: PROTO.UDP, sport: 514, dport: 514, payload: 200 }),
    );
    const f = { at: i / 4 + 0.1, src: '10.0.0.52', dst: '10.0.0.51', sport: 10_000 + i, dport: 9100 };
    r.push(packet({ ...f, flags: TCP.SYN }), packet({ ...back(f), at: f.at + 0.0005, flags: RST }));
    r.push(
      packet({ at: i / 4 + 0.2, src: '10.0.0.53', dst: '10.0.0.51', sport: 20_000 + i, dport: 445, flags: TCP.SYN }),
    );
  }
  r.wait(2);
  assert.deepEqual(r.labels(), []);
});

/** The owner is asked for its address once a second, and answers. */
function asked(r: Replay, at: number): void {
  r.arp({ at, op: 1, senderMac: ASKER, senderIp: '10.0.0.9', targetIp: '10.0.0.1' });
  r.arp({ at: at + 0.0005, op: 2, senderMac: OWNER, senderIp: '10.0.0.1', targetIp: '10.0.0.9' });
}

test('two claims of a gateway that goes on answering are spoofing, to one host or to all, between questions or behind one', () => {
  for (const [gap, toAll] of [
    [0.5, false],
    [0.01, true],
  ] as const) {
    const r = new Replay();
    for (let i = 0; i < 4; i++) {
      asked(r, i);
      if (i % 2 === 0)
        r.arp({ at: i + gap, op: 2, senderMac: OTHER, senderIp: '10.0.0.1', targetIp: '10.0.0.9', toAll });
    }
    assert.deepEqual(r.labels(), ['arp_spoofing'], String(gap));
    const [d] = r.detections;
    assert.equal((d!.packetUs - T0) / 1e6, 2 + gap, 'by the second claim');
    assert.match(
      d!.evidence[0]!.text!,
      /^02:00:00:00:00:02 claimed 10\.0\.0\.1 2 times; .* 02:00:00:00:00:01, last heard/,
    );
  }
});

test('a fail-over, a fail-back, a new network card and a twin that announces itself are no spoofing', () => {
  const announce = (r: Replay, at: number, senderMac: number[], times: number): void => {
    for (let i = 0; i < times; i++)
      r.arp({ at: at + i / 10, op: 1 + (i % 2), senderMac, senderIp: '10.0.0.1', targetIp: '10.0.0.1', toAll: true });
  };
  const failOver = new Replay();
  asked(failOver, 0);
  announce(failOver, 10, OTHER, 10);
  for (let i = 0; i < 20; i++) {
    failOver.arp({ at: 20 + i, op: 1, senderMac: ASKER, senderIp: '10.0.0.9', targetIp: '10.0.0.1' });
    failOver.arp({ at: 20.001 + i, op: 2, senderMac: OTHER, senderIp: '10.0.0.1', targetIp: '10.0.0.9' });
  }
  announce(failOver, 45, OWNER, 10);
  for (let i = 0; i < 20; i++) asked(failOver, 50 + i);
  assert.deepEqual(failOver.labels(), []);
  const twin = new Replay();
  asked(twin, 0);
  // RFC 5227: two announcements, and one defence of the owner.
  announce(twin, 10, OTHER, 1);
  announce(twin, 10.01, OWNER, 1);
  announce(twin, 12, OTHER, 1);
  for (let i = 0; i < 20; i++) {
    asked(twin, 20 + i);
    twin.arp({ at: 20.1 + i, op: 2, senderMac: OTHER, senderIp: '10.0.0.1', targetIp: '10.0.0.9' });
  }
  assert.deepEqual(twin.labels(), []);
});

test('two hosts with one address are no spoofing; a host that answers unasked is', () => {
  const twins = new Replay();
  for (let i = 0; i < 60; i++) {
    twins.arp({ at: i * 5, op: 1, senderMac: ASKER, senderIp: '10.0.0.9', targetIp: '10.0.0.5' });
    twins.arp({ at: i * 5 + 0.001, op: 2, senderMac: OWNER, senderIp: '10.0.0.5', targetIp: '10.0.0.9' });
    twins.arp({ at: i * 5 + 0.002, op: 2, senderMac: OTHER, senderIp: '10.0.0.5', targetIp: '10.0.0.9' });
    twins.arp({
      at: i * 5 + 2,
      op: 1,
      senderMac: i % 2 === 0 ? OWNER : OTHER,
      senderIp: '10.0.0.5',
      targetIp: '10.0.0.1',
    });
  }
  assert.deepEqual(twins.labels(), []);
  const liar = new Replay();
  for (let i = 0; i < 10; i++) {
    liar.arp({ at: i * 5, op: 1, senderMac: ASKER, senderIp: '10.0.0.9', targetIp: '10.0.0.5' });
    liar.arp({ at: i * 5 + 0.001, op: 2, senderMac: OWNER, senderIp: '10.0.0.5', targetIp: '10.0.0.9' });
    for (let n = 0; n < 4; n++)
      liar.arp({ at: i * 5 + 1 + n, op: 2, senderMac: OTHER, senderIp: '10.0.0.5', targetIp: '10.0.0.9' });
  }
  assert.deepEqual(liar.labels(), ['arp_spoofing']);
});

test('a client whose connections time out in bursts is no beacon', () => {
  const r = new Replay();
  for (let visit = 0; visit < 30; visit++) {
    for (let n = 0; n < 4; n++) {
      const f = {
        at: visit * 4.1 + n * 0.04,
        src: '10.0.0.7',
        dst: '203.0.113.9',
        sport: 30_000 + visit * 4 + n,
        dport: 80,
      };
      r.push(...connection(f, ['OPTIONS / HTTP/1.1\r\n\r\n', 'HTTP/1.1 405 No\r\n\r\n']));
    }
  }
  assert.deepEqual(r.labels(), []);
});

/** Probes of the same thirty ports. */
function rescan(r: Replay, at: number): void {
  for (let i = 0; i < 30; i++) {
    const probe = { at: at + i / 100, src: '10.0.0.66', sport: 50_000, dport: 1 + i };
    r.push(packet({ ...probe, flags: TCP.SYN }), packet({ ...back(probe), at: probe.at + 0.001, flags: RST }));
  }
}

test('a scan of the same ports after a pause is reported again, within the re-alert time too; a continued one is not', () => {
  const r = new Replay();
  rescan(r, 0);
  rescan(r, 0.5);
  rescan(r, 3);
  assert.equal(r.detections.length, 1, 'it goes on');
  rescan(r, 12);
  assert.equal(r.detections.length, 2, 'after a short block');
  rescan(r, 30);
  assert.equal(r.detections.length, 3);
});

test('a scan that grows tenfold is told again, for its size', () => {
  const r = new Replay();
  for (let i = 0; i < 1500; i++) {
    const probe = { at: i / 500, src: '10.0.0.66', sport: 50_000, dport: 1 + i };
    r.push(packet({ ...probe, flags: TCP.SYN }), packet({ ...back(probe), at: probe.at + 0.0005, flags: RST }));
  }
  const ports = r.detections.map((d) => Number(d.evidence[0]!.value));
  assert.deepEqual(r.labels(), ['port_scan'], 'many ports a second of one host are no SYN flood');
  assert.equal(r.detections.length, 3, ports.join(' '));
  assert.ok(ports[1]! > 60 && ports[2]! > 600, ports.join(' '));
});

test('three ports probed without flags, with FIN or Xmas are a scan; three refused connections are not', () => {
  const probes = (flags: number[]): string[] => {
    const r = new Replay();
    for (const [i, f] of flags.entries()) {
      const probe = { at: i * 8, src: '10.0.0.66', sport: 50_000 + i, dport: 3390 + i };
      r.push(packet({ ...probe, flags: f }), packet({ ...back(probe), at: probe.at + 0.001, flags: RST }));
    }
    r.wait(1);
    return r.labels();
  };
  assert.deepEqual(probes([0, TCP.FIN, TCP.FIN | TCP.PSH | TCP.URG]), ['port_scan']);
  assert.deepEqual(probes([TCP.FIN | TCP.PSH, TCP.PSH, TCP.URG]), ['port_scan']);
  assert.deepEqual(probes([TCP.SYN, TCP.SYN, TCP.SYN]), []);
});

test('a server whose client was blocked goes on with its connections and is no scanner; an ACK scan of its ports is one', () => {
  for (const sport of [443, 8080]) {
    const r = new Replay();
    for (let i = 0; i < 40; i++)
      for (const wait of [0, 0.3, 0.9]) {
        const f = { at: i / 10 + wait, src: '10.0.0.2', dst: '203.0.113.9', sport, dport: 40_000 + i };
        r.push(packet({ ...f, flags: wait > 0 ? TCP.FIN | TCP.ACK : TCP.ACK }));
      }
    r.wait(2);
    assert.deepEqual(r.labels(), [], `port ${sport}`);
  }
  const scan = new Replay();
  for (let port = 1; port < 40; port++)
    scan.push(packet({ at: port / 10, src: '203.0.113.9', dst: '10.0.0.2', sport: 8080, dport: port, flags: TCP.ACK }));
  scan.wait(2);
  assert.deepEqual(scan.labels(), ['port_scan']);
});

/** Fails at so many hosts, one after another, 16 a second. */
function failAt(hosts: number, to: (i: number) => { dst: string; dport: number }): string[] {
  const r = new Replay();
  for (let i = 0; i < hosts; i++)
    r.push(packet({ at: i / 16, src: '10.0.0.20', sport: 30_000 + i, flags: TCP.SYN, ...to(i) }));
  r.wait(2);
  return r.labels();
}

test('file sharing that tries a list of old peers on its usual port sweeps nothing; what else its host fails at counts as ever', () => {
  const peer = (i: number): string => `198.51.100.${1 + (i % 250)}`;
  const list = (i: number): { dst: string; dport: number } => ({ dst: peer(i), dport: 6346 });
  assert.deepEqual(failAt(110, list), [], 'neighbours, as they may be');
  assert.deepEqual(
    failAt(220, (i) => (i % 20 === 7 ? { dst: `192.0.2.${i}`, dport: 443 } : list(i))),
    [],
    'and some web sites',
  );
  assert.deepEqual(
    failAt(220, (i) => (i % 2 === 0 ? list(i) : { dst: peer(i), dport: 445 })),
    ['host_sweep'],
    'and a worm',
  );
  assert.deepEqual(
    failAt(110, (i) => ({ ...list(i), dst: `10.1.0.${i + 1}` })),
    ['host_sweep'],
    'inside hosts',
  );
  const r = new Replay();
  for (let i = 0; i < 110; i++)
    r.push(
      packet({
        at: i / 16,
        src: '203.0.113.9',
        sport: 30_000 + i,
        flags: TCP.SYN,
        dst: `10.0.0.${i + 1}`,
        dport: 6346,
      }),
    );
  r.wait(2);
  assert.deepEqual(r.labels(), ['host_sweep'], 'from outside');
});

test('file sharing, which asks peers everywhere on ports of their own, sweeps nothing; a worm and a sweep of neighbours do', () => {
  const everywhere = (i: number): string => `${20 + (i % 180)}.${(i * 37) % 256}.${(i * 11) % 256}.9`;
  const own = (i: number): number => 1025 + ((i * 7919) % 60_000);
  assert.deepEqual(
    failAt(600, (i) => ({ dst: everywhere(i), dport: own(i) })),
    [],
  );
  assert.deepEqual(
    failAt(600, (i) => ({ dst: everywhere(i), dport: 445 })),
    ['host_sweep'],
    'a worm',
  );
  assert.deepEqual(
    failAt(100, (i) => ({ dst: `198.51.100.${i + 1}`, dport: own(i) })),
    ['host_sweep'],
    'neighbours',
  );
});
