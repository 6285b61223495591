import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { packet } from '../../support/packets.js';
import { back, connection, dnsPayload, handshake, Replay } from '../../support/replay.js';

const DATA = TCP.PSH | TCP.ACK;
const random = (n: number): string =>
  Array.from({ length: n }, (_, i) => 'abcdefghjkmnpqrstuvwxyz23456789'[(i * 7 + n * 13) % 31]).join('');

test('a SYN flood is found, forged or from one source, answered or not, and is not for blocking when forged', () => {
  for (const forged of [true, false]) {
    for (const answered of [true, false]) {
      const r = new Replay();
      for (let i = 0; i < 300; i++) {
        const src = forged ? `${20 + (i % 200)}.1.${i >> 3}.${i & 255}` : '10.0.0.66';
        const f = { at: i / 300, src, sport: 1024 + i, flags: TCP.SYN };
        r.push(packet(f));
        if (answered) r.push(packet({ ...back(f), flags: TCP.SYN | TCP.ACK }));
      }
      r.wait(1);
      assert.deepEqual(r.labels(), ['syn_flood'], `${forged} ${answered}`);
      assert.equal(r.detections[0]!.noBlock === true, forged);
      assert.equal(r.detections[0]!.victim, '10.0.0.2');
    }
  }
});

test('a busy server whose clients complete their handshakes is not flooded', () => {
  const r = new Replay();
  for (let i = 0; i < 600; i++) {
    r.push(...connection({ at: i / 200, src: `10.1.${i >> 8}.${i & 255}`, sport: 2000 + i }, [200, 2000]));
  }
  r.wait(1);
  assert.deepEqual(r.labels(), []);
});

test('UDP and ICMP floods and reflected amplification are told apart', () => {
  const udp = new Replay();
  for (let i = 0; i < 4000; i++)
    udp.push(packet({ at: i / 4000, proto: PROTO.UDP, sport: 4444, dport: 7, src: '10.0.0.66', payload: 10 }));
  assert.deepEqual(udp.labels(), ['udp_flood']);
  const icmp = new Replay();
  for (let i = 0; i < 600; i++)
    icmp.push(packet({ at: i / 1000, proto: PROTO.ICMP, icmpType: 8, icmpId: 3, src: '10.0.0.66' }));
  assert.deepEqual(icmp.labels(), ['icmp_flood']);
  const ntp = new Replay();
  for (let i = 0; i < 500; i++) {
    ntp.push(
      packet({
        at: i / 1000,
        proto: PROTO.UDP,
        sport: 123,
        dport: 9000 + (i % 50),
        src: `198.51.100.${i % 200}`,
        payload: 440,
      }),
    );
  }
  assert.deepEqual(ntp.labels(), ['amplification']);
  assert.match(ntp.detections[0]!.title, /NTP/);
});

test('an answered UDP stream and a DNS server under load are no floods', () => {
  const r = new Replay();
  for (let i = 0; i < 6000; i++) {
    const f = { at: i / 6000, proto: PROTO.UDP, sport: 4444, dport: 443 };
    r.push(packet({ ...(i % 10 === 1 ? back(f) : f), payload: 1200 }));
  }
  for (let i = 0; i < 1000; i++) {
    const f = {
      at: 2 + i / 1000,
      proto: PROTO.UDP,
      src: `10.3.${i >> 8}.${i & 255}`,
      sport: 5000,
      dport: 53,
      payload: dnsPayload('www.example.org'),
    };
    r.push(packet(f), packet({ ...back(f), payload: dnsPayload('www.example.org', 0) }));
  }
  assert.deepEqual(r.labels(), []);
});

test('slow headers, slow bodies and closed windows are slow HTTP; an upload and a download are not', () => {
  const drip =
    (start: string, piece: string, window = 64_000) =>
    (r: Replay): void => {
      for (let c = 0; c < 8; c++) {
        const f = { at: c / 100, src: '10.0.0.66', sport: 30_000 + c };
        r.push(...handshake(f), packet({ ...f, at: f.at + 0.01, flags: DATA, payload: start }));
      }
      for (let t = 2; t <= 12; t += 2) {
        for (let c = 0; c < 8; c++) {
          r.push(
            packet({
              at: t + c / 100,
              src: '10.0.0.66',
              sport: 30_000 + c,
              flags: piece === '' ? TCP.ACK : DATA,
              payload: piece,
              window,
            }),
          );
        }
      }
    };
  const run = (fill: (r: Replay) => void): Replay => {
    const r = new Replay();
    fill(r);
    return r;
  };
  const cases: [string, (r: Replay) => void][] = [
    ['headers', drip('GET / HTTP/1.1\r\nHost: x\r\n', 'X-a: b\r\n')],
    ['body', drip('POST / HTTP/1.1\r\nContent-Length: 9999\r\n\r\n', 'a=b&')],
    ['read', drip('GET /big HTTP/1.1\r\n\r\n', '', 0)],
  ];
  for (const [kind, fill] of cases) {
    const r = run(fill);
    assert.deepEqual(r.labels(), ['slow_http'], kind);
    assert.deepEqual(r.detections[0]!.metadata?.['kind'], [kind]);
  }
  assert.deepEqual(run(drip('GET /big HTTP/1.1\r\n\r\n', '', 64_000)).labels(), [], 'a download that is acknowledged');
  assert.deepEqual(
    run(drip('POST /up HTTP/1.1\r\nContent-Length: 99999\r\n\r\n', 'x'.repeat(1200))).labels(),
    [],
    'an upload',
  );
});

test('one URI a thousand times is an HTTP flood, a thousand URIs are a mirror', () => {
  const requests = (uri: (i: number) => string): string[] => {
    const r = new Replay();
    const f = { at: 0, src: '10.0.0.66' };
    r.push(...handshake(f));
    for (let i = 0; i < 1500; i++) {
      const at = 0.01 + i / 300;
      r.push(packet({ ...f, at, flags: DATA, payload: `GET ${uri(i)} HTTP/1.1\r\n\r\n` }));
      r.push(packet({ ...back({ ...f, at }), flags: DATA, payload: 'HTTP/1.1 200 OK\r\n\r\n' }));
    }
    return r.labels();
  };
  assert.deepEqual(
    requests(() => '/search'),
    ['http_flood'],
  );
  assert.deepEqual(
    requests((i) => `/pool/${i}.deb`),
    [],
  );
});

test('a beacon with half its interval of jitter is found within 16 connections; people and pollers are not', () => {
  const visits = (starts: number[], dport = 443): string[] => {
    const r = new Replay();
    for (const [i, at] of starts.entries())
      r.push(...connection({ at, src: '10.0.0.20', dst: '203.0.113.50', sport: 20_000 + i, dport }, [300, 500]));
    r.wait(1);
    return r.labels();
  };
  const spread = [0.5, -0.4, 0.2, -0.5, 0.1, 0.4, -0.2, 0.3, -0.1, 0, -0.3, 0.45, -0.45, 0.15, -0.15, 0.05];
  let at = 0;
  const jittered = spread.map((j) => (at += 30 * (1 + j)));
  assert.deepEqual(visits(jittered), ['beacon']);
  assert.deepEqual(visits(jittered.slice(0, 12)), []);
  assert.deepEqual(visits(jittered, 123), [], 'a service that is polled');
  at = 0;
  const person = [1, 3, 60, 2, 5, 200, 1, 40, 7, 300, 2, 2, 90, 4, 9, 150, 3, 22, 70, 1].map((gap) => (at += gap));
  assert.deepEqual(visits(person), []);
});

test('a DNS tunnel is found, with a domain of its own and without; look-ups of many short names are not', () => {
  const ask = (name: (i: number) => string): string[] => {
    const r = new Replay();
    for (let i = 0; i < 80; i++)
      r.push(packet({ at: i / 4, proto: PROTO.UDP, sport: 40_000 + i, dport: 53, payload: dnsPayload(name(i)) }));
    return r.labels().filter((l) => l !== 'port_scan');
  };
  assert.deepEqual(
    ask((i) => `${i}${random(40)}.t.evil.example`),
    ['dns_tunnel'],
  );
  assert.deepEqual(
    ask((i) => `dnscat.${(i * 7919).toString(16)}${'a5'.repeat(16)}`),
    ['dns_tunnel'],
  );
  assert.deepEqual(
    ask((i) => `img${i}.cdn.example.com`),
    [],
  );
  assert.deepEqual(
    ask((i) => `${i}.2.0.192.in-addr.arpa`),
    [],
  );
  assert.deepEqual(
    ask(() => `${random(50)}.same.example`),
    [],
    'one long name again and again',
  );
});

test('many generated domains that do not exist are found; a search suffix on every name is not', () => {
  const ask = (name: (i: number) => string): string[] => {
    const r = new Replay();
    for (let i = 0; i < 40; i++) {
      const f = { at: i / 2, proto: PROTO.UDP, src: '10.0.0.20', sport: 40_000 + i, dport: 53 };
      r.push(packet({ ...f, payload: dnsPayload(name(i)) }), packet({ ...back(f), payload: dnsPayload(name(i), 3) }));
    }
    return r.labels();
  };
  assert.deepEqual(
    ask((i) => `q${(i * 2_654_435_761) % 4_294_967_296}xkz.com`),
    ['dga'],
  );
  assert.deepEqual(
    ask((i) => `host${i}.corp.example`),
    [],
  );
});

test('an ICMP tunnel is found by contents; pings are not, however many', () => {
  const ping = (request: (i: number) => string, reply: (i: number) => string): string[] => {
    const r = new Replay();
    for (let i = 0; i < 60; i++) {
      const f = { at: i / 5, proto: PROTO.ICMP, src: '10.0.0.20', icmpId: 1 };
      const q = packet({ ...f, icmpType: 8, payload: request(i) });
      const a = packet({ ...back(f), at: f.at + 0.01, icmpType: 0, payload: reply(i) });
      q.icmpSeq = a.icmpSeq = i;
      r.push(q, a);
    }
    return r.labels();
  };
  const pattern = (i: number): string => `${String(i).padStart(16, '0')}abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs`;
  assert.deepEqual(ping(pattern, pattern), []);
  assert.deepEqual(
    ping(
      () => 'q',
      (i) => `answer ${i}`,
    ),
    ['icmp_tunnel'],
    'replies unlike their request',
  );
  assert.deepEqual(
    ping(
      (i) => random(30 + i).padStart(60, String(i)),
      (i) => random(30 + i).padStart(60, String(i)),
    ),
    ['icmp_tunnel'],
  );
});

test('ARP: a sweep, a second owner, and unasked answers for two addresses are found; a quiet network is not', () => {
  const sweep = new Replay();
  for (let i = 1; i < 100; i++) sweep.arp({ at: i / 100, op: 1, senderIp: '10.0.0.66', targetIp: `10.0.0.${i}` });
  assert.deepEqual(sweep.labels(), ['host_sweep']);

  // A router asks for whoever it has packets for, and all are there; a few that are not make no sweep.
  const asking = (dead: (i: number) => boolean): Replay => {
    const router = new Replay();
    for (let i = 2; i < 100; i++) {
      router.arp({ at: i / 100, op: 1, senderIp: '10.0.0.1', targetIp: `10.0.0.${i}` });
      if (!dead(i)) router.arp({ at: i / 100 + 0.001, op: 2, senderIp: `10.0.0.${i}`, targetIp: '10.0.0.1' });
    }
    return router;
  };
  assert.deepEqual(asking(() => false).labels(), []);
  assert.deepEqual(asking((i) => i % 12 === 0).labels(), []);
  assert.deepEqual(asking((i) => i % 2 === 0).labels(), ['host_sweep']);

  const takeover = new Replay();
  takeover.arp({ at: 0, op: 1, senderIp: '10.0.0.1', targetIp: '10.0.0.9', senderMac: [2, 0, 0, 0, 0, 1] });
  for (let i = 1; i <= 4; i++) {
    takeover.arp({ at: i * 2, op: 2, senderIp: '10.0.0.1', targetIp: '10.0.0.9', senderMac: [2, 0, 0, 0, 0, 0x66] });
  }
  assert.deepEqual(takeover.labels(), ['arp_spoofing']);
  assert.equal(takeover.detections[0]!.noBlock, true);

  const both = new Replay();
  for (let i = 0; i < 10; i++) {
    both.arp({
      at: i,
      op: 2,
      senderIp: i % 2 ? '10.0.0.1' : '10.0.0.9',
      targetIp: i % 2 ? '10.0.0.9' : '10.0.0.1',
      senderMac: [2, 0, 0, 0, 0, 0x66],
    });
  }
  assert.deepEqual(both.labels(), ['arp_spoofing']);

  const quiet = new Replay();
  for (let i = 0; i < 60; i++) {
    quiet.arp({
      at: i * 2,
      op: 1,
      senderIp: '10.0.0.9',
      targetIp: `10.0.0.${1 + (i % 5)}`,
      senderMac: [2, 0, 0, 0, 0, 9],
    });
    quiet.arp({
      at: i * 2 + 0.01,
      op: 2,
      senderIp: `10.0.0.${1 + (i % 5)}`,
      targetIp: '10.0.0.9',
      senderMac: [2, 0, 0, 0, 1, i % 5],
    });
  }
  assert.deepEqual(quiet.labels(), []);
});
