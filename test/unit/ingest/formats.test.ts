import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { FORMATTERS } from '../../../src/forward/index.js';
import { parseEve, parseMessage, parseSyslog } from '../../../src/ingest/index.js';
import type { Finding, Parsed } from '../../../src/ingest/finding.js';
import { CONTEXT, SAMPLES } from '../forward/support/samples.js';

const NFT =
  'IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=203.0.113.7 DST=192.0.2.1 LEN=60 TOS=0x00 TTL=52 ID=1 DF PROTO=TCP SPT=40000 DPT=22 WINDOW=64240 SYN URGP=0';

function finding(line: string): Finding {
  const parsed: Parsed = parseMessage(parseSyslog(line));
  assert.equal(parsed.kind, 'finding', line);
  return (parsed as { finding: Finding }).finding;
}
const kindOf = (line: string): string => parseMessage(parseSyslog(line)).kind;

const eve = (change: object = {}, alert: object = {}): string =>
  JSON.stringify({
    timestamp: '2026-11-21T10:00:00.123456+0100',
    flow_id: 123456789,
    in_iface: 'eth0',
    event_type: 'alert',
    src_ip: '203.0.113.7',
    src_port: 40000,
    dest_ip: '192.0.2.1',
    dest_port: 80,
    proto: 'TCP',
    app_proto: 'http',
    community_id: '1:AAAA=',
    alert: {
      action: 'allowed', gid: 1, signature_id: 2019401, rev: 3, signature: 'ET EXPLOIT Something',
      category: 'Attempted Administrator Privilege Gain', severity: 1,
      metadata: { mitre_technique_id: ['T1190'], mitre_tactic_id: ['TA0001'], mitre_tactic_name: ['Initial_Access'], mitre_technique_name: ['Exploit_Public_Facing_Application'] },
      ...alert,
    },
    flow: { pkts_toserver: 4, pkts_toclient: 3, bytes_toserver: 500, bytes_toclient: 300 },
    ...change,
  }); // prettier-ignore

describe('EVE JSON', () => {
  it('alerts become findings with the rule, both ends, time, technique and what was proved', () => {
    const parsed = parseEve(eve());
    assert.equal(parsed.kind, 'finding');
    const { finding: f } = parsed as { finding: Finding };
    assert.equal(f.signatureId, 2019401);
    assert.equal(f.severity, 'high');
    assert.equal(f.label, 'attempted-administrator-privilege-gain');
    assert.deepEqual([f.srcIp, f.srcPort, f.dstIp, f.dstPort, f.proto], ['203.0.113.7', 40000, '192.0.2.1', 80, 6]);
    assert.equal(f.atMs, Date.parse('2026-11-21T09:00:00.123Z'));
    assert.equal(f.isEstablished, true);
    assert.deepEqual(f.attack, {
      techniqueId: 'T1190', techniqueName: 'Exploit Public Facing Application', tacticId: 'TA0001', tacticName: 'Initial Access',
    }); // prettier-ignore
  });

  it('takes the source of the attack from the rule when the rule says it', () => {
    const parsed = parseEve(eve({}, { source: { ip: '192.0.2.1' }, target: { ip: '203.0.113.7' } }));
    assert.equal((parsed as { finding: Finding }).finding.offender, '192.0.2.1');
  });

  it('believes no address without an answered conversation over TCP', () => {
    const cases = [
      eve({ proto: 'UDP', app_proto: 'dns' }),
      eve({ flow: { pkts_toserver: 4, pkts_toclient: 0 } }),
      eve({ app_proto: 'failed' }),
      eve({ flow: undefined }),
    ];
    for (const line of cases) {
      assert.equal((parseEve(line) as { finding: Finding }).finding.isEstablished, false, line);
    }
  });

  it('leaves out other events, and our own', () => {
    assert.equal(parseEve(eve({ event_type: 'flow' })).kind, 'ignored');
    for (const event of Object.values(SAMPLES)) assert.equal(parseEve(FORMATTERS.eve(event, CONTEXT)).kind, 'ignored');
    for (const broken of [
      '',
      '{',
      '"event_type":"alert"',
      '{"event_type":"alert"}',
      eve({ src_ip: 'x' }),
      eve({ src_ip: {} }),
      '[]',
    ])
      assert.equal(parseEve(broken).kind, 'malformed', broken);
  });
});

describe('messages of other firewalls', () => {
  it('netfilter: a prefix that names a refusal makes a finding, any other does not', () => {
    const f = finding(`<4>Nov 21 10:00:00 fw2 kernel: [12345.678] [UFW BLOCK] ${NFT}`);
    assert.deepEqual([f.srcIp, f.srcPort, f.dstIp, f.dstPort, f.proto], ['203.0.113.7', 40000, '192.0.2.1', 22, 6]);
    assert.equal(f.severity, 'low');
    assert.equal(f.action, '[UFW BLOCK]');
    for (const prefix of ['nft-drop: ', 'INPUT_DENIED ', 'Shorewall:net2fw:REJECT:', 'DROP='])
      assert.equal(kindOf(`<4>Nov 21 10:00:00 fw2 kernel: ${prefix}${NFT}`), 'finding', prefix);
    for (const prefix of ['[UFW ALLOW] ', 'new conn ', ''])
      assert.equal(kindOf(`<4>Nov 21 10:00:00 fw2 kernel: ${prefix}${NFT}`), 'ignored', prefix);
    assert.equal(kindOf(`<4>Nov 21 10:00:00 fw2 kernel: DROP IN=eth0 OUT= SRC=999.1.1.1 DST=x`), 'malformed');
  });

  it('pf: filterlog of IPv4 and IPv6, blocks only', () => {
    const v4 =
      '5,,,1000000103,igb0,match,block,in,4,0x0,,64,0,0,DF,6,tcp,60,203.0.113.7,192.0.2.1,40000,22,0,S,1,,64240,,mss';
    const f = finding(`<134>Nov 21 10:00:00 pf filterlog[123]: ${v4}`);
    assert.deepEqual([f.srcIp, f.srcPort, f.dstIp, f.dstPort, f.proto], ['203.0.113.7', 40000, '192.0.2.1', 22, 6]);
    const v6 = '5,,,1000000105,igb0,match,block,in,6,0x00,0x12345,64,UDP,17,200,2001:db8::7,2001:db8::1,5000,53,180';
    const g = finding(`<134>1 2026-11-21T10:00:00Z pf filterlog 123 - - ${v6}`);
    assert.deepEqual([g.srcIp, g.srcPort, g.dstIp, g.dstPort, g.proto], ['2001:db8::7', 5000, '2001:db8::1', 53, 17]);
    assert.equal(kindOf(`<134>Nov 21 10:00:00 pf filterlog[123]: ${v4.replace('block', 'pass')}`), 'ignored');
    assert.equal(kindOf('<134>Nov 21 10:00:00 pf filterlog[123]: 1,2,3'), 'malformed');
  });

  it('FortiGate: refused traffic, and findings of its intrusion prevention', () => {
    const head =
      '<189>date=2026-11-21 time=10:00:00 devname="FG1" devid="FGT" eventtime=1795255200123456789 logid="0000000013"';
    const ends = 'srcip=203.0.113.7 srcport=40000 dstip=192.0.2.1 dstport=443 proto=6';
    const f = finding(`${head} type="traffic" subtype="forward" level="notice" ${ends} action="deny" policyid=0`);
    assert.deepEqual([f.severity, f.srcPort, f.dstPort, f.device], ['low', 40000, 443, 'FG1']);
    assert.equal(f.atMs, 1_795_255_200_000);
    assert.equal(kindOf(`${head} type="traffic" level="notice" ${ends} action="close"`), 'ignored');
    const ips = finding(
      `${head} type="utm" subtype="ips" level="alert" severity="critical" ${ends} action="dropped" attack="Apache.Log4j.RCE" attackid=51006`,
    );
    assert.deepEqual([ips.severity, ips.title, ips.signatureId], ['critical', 'Apache.Log4j.RCE', 51006]);
  });

  it('CEF and LEEF: severity, ends, escapes; passed traffic and our own events are left out', () => {
    const cef = (ext: string, severity = '8') =>
      `<134>Nov 21 10:00:00 h CEF:0|Acme|IPS|1.0|100|Bad \\| worse|${severity}|${ext}`;
    const f = finding(cef('src=203.0.113.7 spt=1 dst=192.0.2.1 dpt=80 proto=TCP act=blocked msg=a\\=b c=d'));
    assert.deepEqual([f.title, f.severity, f.signatureId, f.dstPort], ['Bad | worse', 'high', 100, 80]);
    assert.equal(kindOf(cef('src=203.0.113.7 act=allowed', '2')), 'ignored');
    assert.equal(kindOf(cef('suser=bob')), 'ignored');
    assert.equal(kindOf('<134>Nov 21 10:00:00 h CEF:0|Acme|IPS'), 'malformed');
    const leef = finding(
      '<134>Nov 21 10:00:00 h LEEF:2.0|Acme|IPS|1.0|Scan|^|src=2001:db8::7^dst=2001:db8::1^dstPort=22^sev=9^cat=Recon^proto=TCP',
    );
    assert.deepEqual([leef.srcIp, leef.dstPort, leef.severity, leef.label], ['2001:db8::7', 22, 'critical', 'recon']);
    const old = finding('<134>Nov 21 10:00:00 h LEEF:1.0|Acme|IPS|1.0|Scan|src=203.0.113.7\tdst=192.0.2.1\tsev=5');
    assert.equal(old.severity, 'medium');
    for (const event of Object.values(SAMPLES)) {
      for (const format of ['cef', 'leef'] as const)
        assert.equal(
          kindOf(`<134>1 2026-11-21T10:00:00Z h portcullis - - - ${FORMATTERS[format](event, CONTEXT)}`),
          'ignored',
        );
    }
  });

  it('EVE inside syslog is read as EVE', () => {
    assert.equal(kindOf(`<134>1 2026-11-21T10:00:00Z h suricata 77 - - ${eve()}`), 'finding');
    assert.equal(kindOf(`<134>Nov 21 10:00:00 h suricata[77]: @cee: ${eve()}`), 'finding');
  });

  it('never throw and never take long, whatever comes', () => {
    const pieces = fc.constantFrom(
      'CEF:0|', 'LEEF:2.0|', '|', '=', '\\', '"', ' IN=', ' OUT=', 'SRC=', 'logid=', 'type="utm"', '{"event_type":"alert"',
      '[a b="', ',', '<134>', 'filterlog: ', '\u0000', '\ud800', 'é', '203.0.113.7', 'kernel: ', '\n', 'src=', ' ',
    ); // prettier-ignore
    const text = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 60 })
      .map((a) => a.join(''));
    fc.assert(
      fc.property(text, (line) => {
        const parsed = parseMessage(parseSyslog(line));
        if (parsed.kind === 'finding') assert.doesNotMatch(JSON.stringify(parsed), /\\u00[01]/);
        parseEve(line);
      }),
      { numRuns: 2000 },
    );
    for (const piece of [
      'IN=',
      'CEF:0|',
      'LEEF:2.0|a|',
      ' a=',
      ' a="',
      '"event_type"',
      '"event_type" :  ',
      '[',
      '{"a":',
      '\\',
      ' logid=1 type="a" ',
    ]) {
      const long = `<134>${piece.repeat(65_536 / piece.length)}`;
      const start = process.cpuUsage();
      parseMessage(parseSyslog(long));
      parseEve(long);
      const cpuUs = process.cpuUsage(start).user;
      assert.ok(cpuUs < 500_000, `${piece}: ${cpuUs} us`);
    }
  });
});
