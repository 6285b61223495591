import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Store } from '../../../src/store/index.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { sampleAlert, sampleDecision, sampleFlow, sampleIncident, sampleTrainingRun, START_MS } from './samples.js';

/** The same cases for every database: they must give the same answers. */
export function repositoryCases(name: string, open: () => Promise<Store>): void {
  describe(`repositories on ${name}`, () => {
    let store: Store;
    before(async () => {
      store = await open();
    });
    after(() => store.close());

    const searchTitles = async (q: string): Promise<string[]> =>
      (await store.alerts.list({ limit: 50, q })).items.map((alert) => alert.title).sort();

    it('gives back an alert exactly as it was queued', async () => {
      const alert = sampleAlert({ title: 'Ünïcode "quotes" 100% \u0000 <script>' });
      store.alerts.queue({ alert });
      assert.deepEqual(await store.alerts.get(alert.id), { ...alert, response: 'none' });
    });

    it('lets an alert grow without touching what people changed', async () => {
      const alert = sampleAlert();
      store.alerts.queue({ alert });
      await store.alerts.setState([alert.id], 'archived');
      await store.alerts.setLabelVerdict(alert.id, 'false_positive');
      store.alerts.queue({
        alert: { ...alert, count: 9, severity: 'high', lastMs: START_MS + 5 },
        response: 'blocked',
      });
      const stored = await store.alerts.get(alert.id);
      assert.equal(stored?.count, 9);
      assert.equal(stored?.severity, 'high');
      assert.equal(stored?.state, 'archived');
      assert.equal(stored?.labelVerdict, 'false_positive');
      assert.equal(stored?.response, 'blocked');
      store.alerts.queue({ alert: { ...alert, count: 10 } });
      assert.equal((await store.alerts.get(alert.id))?.response, 'blocked');
    });

    it('keeps the verdict when the alert and the verdict come in the same batch', async () => {
      const alert = sampleAlert();
      const verdict = {
        alertId: alert.id,
        outcome: 'monitor' as const,
        mode: 'observe' as const,
        reason: 'no policy matched',
        considered: [{ policy: 'scanners', matched: false, failed: 'confidence 0.62 < 0.8' }],
        guards: [],
      };
      store.alerts.queue({ alert, verdict, response: 'simulated' });
      store.alerts.queue({ alert: { ...alert, count: 2 } });
      assert.deepEqual(await store.alerts.verdict(alert.id), verdict);
      assert.equal((await store.alerts.get(alert.id))?.response, 'simulated');
    });

    it('pages through equal times without losing or repeating an alert', async () => {
      const marker = uuid7();
      const ids = Array.from({ length: 25 }, (_, i) => {
        const alert = sampleAlert({ label: marker, lastMs: START_MS + Math.floor(i / 10) });
        store.alerts.queue({ alert });
        return alert.id;
      });
      await store.flush();
      const seen: string[] = [];
      let cursor: string | null | undefined;
      let pages = 0;
      do {
        const page = await store.alerts.list({ limit: 7, q: `label:${marker}`, ...(cursor ? { cursor } : {}) });
        seen.push(...page.items.map((alert) => alert.id));
        cursor = page.nextCursor;
        pages++;
      } while (cursor !== null);
      assert.equal(pages, 4);
      assert.deepEqual(seen, ids.toReversed());
    });

    it('finds alerts by every field of the search language', async () => {
      const at = START_MS + 1_000_000;
      const batch = [
        sampleAlert({ title: 'A', label: 'q_scan', severity: 'low', score: 0.4, lastMs: at, offender: '198.51.100.9', srcIp: '198.51.100.9', dstPort: 4242 }),
        sampleAlert({ title: 'B', label: 'q_brute', severity: 'high', score: 0.95, lastMs: at, tiers: ['signature', 'behaviour'], offender: '2001:db8::5', srcIp: '2001:db8::5', dstIp: '2001:db8::1', proto: 17 }),
        sampleAlert({ title: 'C', label: 'q_scan', severity: 'critical', score: 0.8, lastMs: at, offender: '198.51.100.77', srcIp: '198.51.100.77', category: 'Web Attack' }),
      ]; // prettier-ignore
      for (const alert of batch) store.alerts.queue({ alert });
      await store.flush();
      await store.alerts.setState([batch[1]!.id], 'escalated');
      store.alerts.queue({ ids: [batch[2]!.id], response: 'blocked' });
      await store.flush();
      const cases: [string, string[]][] = [
        ['label:q_scan', ['A', 'C']],
        ['label:q_*', ['A', 'B', 'C']],
        ['label:q_* -label:q_brute', ['A', 'C']],
        ['label:q_* severity>=high', ['B', 'C']],
        ['label:q_* severity:low', ['A']],
        ['label:q_* score>0.8', ['B']],
        ['label:q_* score<=0.8', ['A', 'C']],
        ['label:q_* tier:signature', ['B']],
        ['ip:198.51.100.0/24 label:q_*', ['A', 'C']],
        ['198.51.100.9', ['A']],
        ['2001:db8::/32', ['B']],
        ['-ip:198.51.100.0/24 label:q_*', ['B']],
        ['label:q_* port:4242', ['A']],
        ['label:q_* proto:udp', ['B']],
        ['label:q_* is:escalated', ['B']],
        ['label:q_* is:blocked', ['C']],
        ['label:q_* is:open', ['A', 'C']],
        ['label:q_* "web attack"', ['C']],
        ['label:q_* WEB', ['C']],
        ['label:q_* 100%', []],
        [`label:q_* after:${at}`, ['A', 'B', 'C']],
        [`label:q_* before:${at}`, []],
        ["label:q_* x' OR '1'='1", []],
      ];
      for (const [q, titles] of cases) assert.deepEqual(await searchTitles(q), titles, q);
    });

    it('refuses unknown fields, wrong values and foreign cursors as the user’s mistake', async () => {
      for (const q of [
        'colour:red',
        'ip:nonsense',
        'score>high',
        'severity:awful',
        'is:sleepy',
        'label>a',
        'constructor:x',
      ]) {
        await assert.rejects(store.alerts.list({ limit: 5, q }), { kind: 'user', code: 'search.invalid' }, q);
      }
      const cursor = Buffer.from('["1","2"]').toString('base64url');
      await assert.rejects(store.alerts.list({ limit: 5, cursor }), { kind: 'user', code: 'search.cursor' });
    });

    it('keeps suppressions as they were made, and forgets those that ended long ago', async () => {
      const entry = { id: uuid7(), untilMs: 0, comment: 'noisy “scanner”', owner: 'ada', createdMs: START_MS };
      const full = {
        ...entry,
        id: uuid7(),
        createdMs: START_MS + 1,
        offender: '2001:db8::/32',
        victim: '192.0.2.1',
        label: 'port_scan',
        gid: 0,
        signatureId: 4_294_967_295,
      };
      const ended = { ...entry, id: uuid7(), createdMs: START_MS + 2, untilMs: START_MS + 10 };
      for (const one of [entry, full, ended]) await store.suppressions.add(one);
      assert.deepEqual(await store.suppressions.all(), [ended, full, entry]);
      await store.suppressions.purge(START_MS + 11);
      assert.deepEqual(await store.suppressions.all(), [full, entry]);
      assert.deepEqual(await store.suppressions.remove(full.id), full);
      assert.equal(await store.suppressions.remove(full.id), undefined);
    });

    it('counts the alerts of incidents by hour', async () => {
      const [busy, quiet] = [uuid7(), uuid7()];
      const [fromMs, stepMs] = [START_MS + 50_000_000, 3_600_000];
      const at = (ms: number, incidentId = busy): void =>
        void store.alerts.queue({ alert: sampleAlert({ incidentId, lastMs: fromMs + ms }) });
      [-1, 0, 1, stepMs - 1, stepMs, 3 * stepMs + 7].forEach((ms) => at(ms));
      at(5, uuid7());
      await store.flush();
      const found = await store.incidents.activity([busy, quiet], { fromMs, stepMs, steps: 4 });
      assert.deepEqual(found, [
        { id: busy, counts: [3, 1, 0, 1] },
        { id: quiet, counts: [0, 0, 0, 0] },
      ]);
    });

    it('keeps owner and state of an incident while it grows', async () => {
      const incident = sampleIncident();
      store.incidents.queue(incident);
      await store.incidents.change(incident.id, { owner: 'ada', state: 'open' });
      store.incidents.queue({ ...incident, alertCount: 4, labels: ['port_scan', 'ssh_brute_force'] });
      const stored = await store.incidents.get(incident.id);
      assert.deepEqual(stored, {
        ...incident,
        alertCount: 4,
        labels: ['port_scan', 'ssh_brute_force'],
        owner: 'ada',
        state: 'open',
      });
      const taken = { owner: 'bob' };
      assert.equal(await store.incidents.change(incident.id, taken, { owner: null }), undefined, 'it is ada’s by now');
      assert.equal(await store.incidents.change(incident.id, taken, { state: 'new', owner: 'ada' }), undefined);
      assert.equal((await store.incidents.get(incident.id))?.owner, 'ada');
      const freed = await store.incidents.change(incident.id, { owner: null }, { state: 'open', owner: 'ada' });
      assert.equal(freed?.owner, undefined);
      const found = await store.incidents.list({ limit: 5, q: 'label:ssh_brute_force is:open' });
      assert.deepEqual(
        found.items.map((item) => item.id),
        [incident.id],
      );
      await store.incidents.comment(incident.id, 'ada', '<img src=x onerror=alert(1)>');
      assert.equal((await store.incidents.comments(incident.id))[0]?.text, '<img src=x onerror=alert(1)>');
    });

    it('lists decisions in force until they expire or end', async () => {
      const nowMs = START_MS + 1000;
      const lasting = sampleDecision({ value: '192.0.2.77', expiresMs: 0 });
      const timed = sampleDecision({ value: '192.0.2.78', simulated: true, enforcement: 'applied' });
      const gone = sampleDecision({ value: '192.0.2.79' });
      store.decisions.queue({ decision: lasting, step: { atMs: nowMs, op: 'created', actor: 'ada', reason: 'test' } });
      store.decisions.queue({ decision: timed });
      await store.decisions.save({ decision: gone });
      const released = { ...gone, enforcement: 'revoked' as const };
      await store.decisions.save({
        decision: released,
        step: { atMs: nowMs, op: 'released', actor: 'ada', reason: 'false alarm' },
      });
      assert.deepEqual(await store.decisions.get(gone.id), released);
      const inForce = async (ms: number) => (await store.decisions.active(ms)).map((d) => d.value).sort();
      assert.deepEqual(await inForce(nowMs), ['192.0.2.77', '192.0.2.78']);
      assert.deepEqual(await inForce(START_MS + 600_000), ['192.0.2.77']);
      assert.deepEqual(await store.decisions.counts(nowMs), { active: 1, simulated: 1 });
      assert.deepEqual(await store.decisions.history(gone.id), [
        { atMs: nowMs, op: 'released', actor: 'ada', reason: 'false alarm' },
      ]);
    });

    it('finds the decision on a prefix by an address inside it, and by a wider prefix', async () => {
      const decision = sampleDecision({ value: '100.64.8.0/24', scope: 'cidr' });
      await store.decisions.save({ decision });
      const ids = async (q: string) =>
        (await store.decisions.list({ limit: 5, q, state: 'all' }, START_MS)).items.map((d) => d.id);
      for (const q of ['100.64.8.9', 'ip:100.64.8.0/24', 'ip:100.64.0.0/16', 'ip:100.64.8.128/25']) {
        assert.deepEqual(await ids(q), [decision.id], q);
      }
      for (const q of ['100.64.9.1', 'ip:100.64.9.0/24', '100.64.7.255']) assert.deepEqual(await ids(q), [], q);
      assert.deepEqual(
        (await store.decisions.ofAddress('100.64.8.200', 5)).map((d) => d.id),
        [decision.id],
      );
    });

    it('links decisions to their alerts', async () => {
      const alert = sampleAlert();
      store.alerts.queue({ alert });
      const decision = sampleDecision({ alertIds: [alert.id], incidentId: alert.incidentId });
      await store.decisions.save({ decision });
      await store.decisions.save({ decision: { ...decision, enforcement: 'applied' } });
      assert.deepEqual(
        (await store.decisions.ofAlert(alert.id)).map((d) => d.enforcement),
        ['applied'],
      );
    });

    it('gives back a flow exactly, with counters beyond 32 bits', async () => {
      const flow = sampleFlow({ appProto: 'http', dstPort: 8080 });
      store.flows.queue('edge', flow);
      await store.flush();
      const [stored] = (await store.flows.list({ limit: 5, q: 'port:8080 app:http bytes>4000000000' })).items;
      assert.ok(stored);
      const { id, sensor, ...rest } = stored;
      assert.deepEqual(rest, flow);
      assert.equal(sensor, 'edge');
      assert.match(id, /^[0-9a-f-]{36}$/);
    });

    it('takes a user name once, counts failures and uses a TOTP step once', async () => {
      const user = {
        name: 'grace', role: 'analyst', disabled: false, mustChangePassword: true, passwordHash: 'x', totpSecret: '',
        totpPending: '', totpLastStep: 0, recoveryHashes: '[]', createdMs: START_MS, lastLoginMs: 0, failedLogins: 0,
        lockedUntilMs: 0, epoch: 0,
      }; // prettier-ignore
      assert.equal(await store.users.add(user), true);
      assert.equal(await store.users.add(user), false);
      assert.deepEqual(await store.users.get('grace'), user);
      assert.equal(await store.users.get('Grace'), undefined);
      assert.equal(await store.users.addFailure('grace'), 1);
      assert.equal(await store.users.addFailure('grace'), 2);
      assert.equal(await store.users.useTotpStep('grace', 100), true);
      assert.equal(await store.users.useTotpStep('grace', 100), false);
      assert.equal(await store.users.useTotpStep('grace', 99), false);
    });

    it('rotates a refresh token for one of two racing requests only', async () => {
      const session = {
        id: uuid7(), user: 'grace', refreshHash: 'h1', previousHash: '', rotatedMs: 0, address: '192.0.2.1', userAgent: 'x',
        createdMs: START_MS, lastUsedMs: START_MS, expiresMs: START_MS + 1000, revokedMs: 0,
      }; // prettier-ignore
      await store.sessions.add(session);
      const won = await Promise.all([
        store.sessions.rotate(session.id, 'h1', { refreshHash: 'h2' }),
        store.sessions.rotate(session.id, 'h1', { refreshHash: 'h3' }),
      ]);
      assert.deepEqual(won.toSorted(), [false, true]);
      await store.sessions.revoke(session.id, START_MS + 5);
      assert.equal(await store.sessions.rotate(session.id, 'h2', { refreshHash: 'h4' }), false);
      assert.equal((await store.sessions.get(session.id))?.revokedMs, START_MS + 5);
      assert.deepEqual((await store.sessions.list({ limit: 5 }, START_MS)).items, []);
    });

    it('chains the audit log and notices a changed entry', async () => {
      const entry = {
        actor: 'ada',
        address: '192.0.2.1',
        action: 'decision.add',
        object: 'x',
        outcome: 'success' as const,
      };
      const concurrent = Array.from({ length: 8 }, (_, i) => store.audit.append({ ...entry, after: { i } }));
      const sequences = (await Promise.all(concurrent)).map((record) => record.seq).sort((a, b) => a - b);
      assert.deepEqual(sequences, [1, 2, 3, 4, 5, 6, 7, 8]);
      assert.deepEqual(await store.audit.check(), { ok: true, checked: 8, brokenAtSeq: null });
      const page = await store.audit.list({ limit: 3 });
      assert.deepEqual(
        page.items.map((item) => item.seq),
        [8, 7, 6],
      );
      const next = await store.audit.list({ limit: 3, cursor: page.nextCursor ?? '' });
      assert.deepEqual(
        next.items.map((item) => item.seq),
        [5, 4, 3],
      );
    });

    it('numbers policy versions and gives the newest of each', async () => {
      const save = (name: string, yaml: string) => store.policies.add({ name, yaml, actor: 'ada', comment: 'c' });
      assert.equal((await save('scanners', 'a')).version, 1);
      assert.equal((await save('scanners', 'b')).version, 2);
      assert.equal((await save('brute', 'z')).version, 1);
      const current = (await store.policies.current()).map(({ name, version, yaml }) => [name, version, yaml]);
      assert.deepEqual(current, [['brute', 1, 'z'], ['scanners', 2, 'b']]); // prettier-ignore
      assert.deepEqual(
        (await store.policies.versions('scanners')).map((v) => v.version),
        [2, 1],
      );
    });

    it('keeps settings, labels and exemptions', async () => {
      await store.settings.set('mode', { mode: 'observe' }, 'ada');
      await store.settings.set('mode', { mode: 'enforce' }, 'ada');
      assert.deepEqual(await store.settings.get('mode'), { mode: 'enforce' });
      assert.equal(await store.settings.get('nothing'), undefined);
      const label = {
        id: uuid7(), alertId: uuid7(), verdict: 'true_positive' as const, class: 'port_scan', user: 'ada',
        createdMs: START_MS, alertLabel: 'port_scan', features: { schema: 'flow/1', values: [0.1, 2] },
      }; // prettier-ignore
      await store.labels.add(label);
      assert.deepEqual(await store.labels.ofAlert(label.alertId), [label]);
      assert.deepEqual(await store.labels.since(START_MS - 1, 10), [label]);
      const entry = {
        id: uuid7(),
        value: '192.0.2.0/28',
        owner: 'ada',
        comment: 'office',
        createdMs: START_MS,
        expiresMs: START_MS + 10,
      };
      await store.allowlist.add(entry);
      assert.deepEqual(await store.allowlist.active(START_MS), [entry]);
      assert.deepEqual(await store.allowlist.active(START_MS + 10), []);
      await store.allowlist.remove(entry.id);
      assert.equal(await store.allowlist.get(entry.id), undefined);
    });

    it('keeps training runs, and sampled flows until they are labelled or too many', async () => {
      const run = sampleTrainingRun({ state: 'running' });
      await store.training.save(run);
      await store.training.save({ ...run, state: 'refused', summary: 'Not better than the champion.' });
      assert.equal((await store.training.get(run.id))?.summary, 'Not better than the champion.');
      assert.deepEqual(await store.training.inState(['running']), []);
      assert.deepEqual(
        (await store.training.list({ limit: 5, q: 'state:refused' })).items.map((r) => r.id),
        [run.id],
      );
      const samples = Array.from({ length: 5 }, (_, i) => ({
        id: uuid7(), atMs: START_MS + i, sensor: 'edge', srcIp: '192.0.2.1', srcPort: 1, dstIp: '192.0.2.2', dstPort: 2, proto: 6,
        featureSchema: 'flow', scores: { guard: 0.1 }, values: [i, 0.5],
      })); // prettier-ignore
      await store.samples.add(samples);
      await store.samples.setLabelled(samples[4]!.id);
      assert.equal(await store.samples.count('flow'), 4);
      assert.deepEqual(
        (await store.samples.between('flow', START_MS, START_MS + 9, 10)).map((s) => s.values),
        [[3, 0.5], [2, 0.5], [1, 0.5]],
      ); // prettier-ignore
      await store.samples.prune(2);
      assert.deepEqual(
        (await store.samples.unlabelled(9)).map((s) => s.id),
        [samples[3]!.id],
      );
    });

    it('finds the alerts that a person confirmed by extending a block or blocking by hand, and no others', async () => {
      const atMs = START_MS + 90_000_000;
      const alert = (offender: string) => sampleAlert({ offender, firstMs: atMs, lastMs: atMs });
      const [extended, lifted, byHand, late, left] = ['198.18.7.1', '198.18.7.2', '198.18.7.3', '198.18.7.4', '198.18.7.5'].map(alert); // prettier-ignore
      for (const a of [extended, lifted, byHand, late, left]) store.alerts.queue({ alert: a! });
      const step = (op: 'created' | 'extended', actor: string) => ({ atMs: atMs + 5, op, actor, reason: '' });
      const block = (of: typeof extended, change: object) =>
        sampleDecision({ value: of!.offender, alertIds: [of!.id], createdMs: atMs + 1, ...change });
      await store.decisions.save({ decision: block(extended, {}), step: step('extended', 'ada') });
      await store.decisions.save({
        decision: block(lifted, { enforcement: 'revoked' }),
        step: step('extended', 'bob'),
      });
      await store.decisions.save({ decision: block(left, {}), step: step('created', 'scanners') });
      const hand = { origin: 'operator', actor: 'bob', alertIds: [] } as const;
      await store.decisions.save({ decision: block(byHand, hand) });
      await store.decisions.save({ decision: block(late, { ...hand, createdMs: atMs + 2 * 86_400_000 }) });
      await store.flush();
      const found = await store.training.confirmed(atMs);
      assert.deepEqual(
        new Map(found.map((c) => [c.alertId, `${c.user} ${c.atMs - atMs}`])),
        new Map([
          [extended!.id, 'ada 5'],
          [byHand!.id, 'bob 1'],
        ]),
      );
      assert.deepEqual(await store.training.confirmed(atMs + 10), []);
    });

    it('adds the timeline up by step and keeps the empty steps', async () => {
      const atMs = START_MS + 50_000_000;
      const point = { atMs, packets: 100, bytes: 5000, flows: 3, kernelDrops: 0, alerts: 1, blocks: 0 };
      await store.statistics.addTimeline(point);
      await store.statistics.addTimeline({ ...point, atMs: atMs + 1, blocks: 2 });
      const overview = await store.statistics.overview(60, atMs + 60_000);
      assert.equal(overview.stepSecs, 20);
      assert.equal(
        overview.timeline.reduce((n, p) => n + p.packets, 0),
        200,
      );
      assert.equal(
        overview.timeline.reduce((n, p) => n + p.blocks, 0),
        2,
      );
      assert.ok(overview.timeline.length >= 180 && overview.timeline.length <= 182, String(overview.timeline.length));
    });

    it('counts alerts by label, severity, tier and offender', async () => {
      const lastMs = START_MS + 900_000_000;
      const write = (label: string, offender: string, response: 'none' | 'blocked') => {
        store.alerts.queue({
          alert: sampleAlert({ label, offender, lastMs, tiers: ['signature', 'behaviour'] }),
          response,
        });
      };
      write('o_scan', '198.51.100.1', 'blocked');
      write('o_scan', '198.51.100.1', 'none');
      write('o_brute', '198.51.100.2', 'none');
      await store.flush();
      const overview = await store.statistics.overview(1, lastMs + 1);
      assert.deepEqual(overview.labels, [{ label: 'o_scan', alerts: 2 }, { label: 'o_brute', alerts: 1 }]); // prettier-ignore
      assert.deepEqual(overview.severities, [{ severity: 'medium', alerts: 3 }]);
      assert.deepEqual(overview.offenders, [
        { address: '198.51.100.1', alerts: 2, lastMs },
        { address: '198.51.100.2', alerts: 1, lastMs },
      ]);
      assert.deepEqual(overview.tiers[0], { tier: 'signature', alerts: 3, blocks: 1 });
      assert.deepEqual(overview.tiers[2], { tier: 'classification', alerts: 0, blocks: 0 });
    });

    it('deletes in chunks what is older than its retention and keeps decisions in force', async () => {
      const marker = uuid7();
      for (let i = 0; i < 60; i++) store.alerts.queue({ alert: sampleAlert({ label: marker, lastMs: START_MS }) });
      const kept = sampleDecision({ value: '192.0.2.99', expiresMs: 0, createdMs: START_MS });
      await store.decisions.save({ decision: kept });
      await store.flush();
      const result = await store.retain(START_MS + 4000 * 86_400_000);
      assert.ok((result.deleted['alerts'] ?? 0) >= 60);
      assert.equal((await store.alerts.list({ limit: 5, q: `label:${marker}` })).items.length, 0);
      assert.deepEqual(await store.decisions.get(kept.id), kept);
    });
  });
}
