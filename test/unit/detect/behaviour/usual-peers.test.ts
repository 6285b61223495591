import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contacts, hashAt, pairOf, serviceOf, tagOf } from '../../../../src/detect/behaviour/contacts.js';
import { UsualPeers } from '../../../../src/detect/behaviour/usual-peers.js';

const DAY_US = 86_400e6;
const HOST = 3;
/** Days since the epoch; 0 stands for never. */
const FIRST_DAY = 20_000;

/** A contact of 10.0.0.1 with port 443 of 203.0.113.`last`. */
function contactWith(last: number, version = 4): Contacts {
  const c = new Contacts(1);
  c.srcAddr.set([0, 0, 0, 0x0a000001]);
  c.dstAddr.set([0, 0, 0, 0xcb007100 + last]);
  c.ipVersion[0] = version;
  c.proto[0] = 6;
  c.dstPort[0] = 443;
  c.src[0] = hashAt(c.srcAddr, 0);
  c.dst[0] = hashAt(c.dstAddr, 0);
  c.pair[0] = pairOf(c.src[0], c.dst[0]);
  c.tag[0] = tagOf(c.pair[0], serviceOf(c, 0));
  return c;
}

const noteOn = (peers: UsualPeers, c: Contacts, day: number): boolean =>
  peers.note(HOST, c, 0, (FIRST_DAY + day) * DAY_US + 1e6);

test('a peer counts a day each, once the next has come', () => {
  const peers = new UsualPeers(64, 8);
  const c = contactWith(1);
  assert.equal(noteOn(peers, c, 0), true);
  assert.equal(noteOn(peers, c, 0), false);
  assert.equal(peers.daysOf(HOST, c, 0), 0);
  for (let day = 1; day <= 3; day++) assert.equal(noteOn(peers, c, day), true);
  assert.equal(peers.daysOf(HOST, c, 0), 3);
  assert.equal(peers.daysOf(HOST + 1, c, 0), 0, 'of another host');
  assert.equal(peers.daysOf(HOST, contactWith(2), 0), 0, 'another peer');
});

test('a full set gives up the peer that was unseen longest, and counts it', () => {
  const peers = new UsualPeers(8, 8);
  const all = Array.from({ length: 9 }, (_, i) => contactWith(i + 1));
  for (const c of all.slice(0, 8)) noteOn(peers, c, 0);
  for (const c of all.slice(1, 8)) noteOn(peers, c, 1);
  assert.equal(peers.evictions, 0);
  noteOn(peers, all[8]!, 1);
  assert.equal(peers.evictions, 1);
  for (const c of all.slice(1, 8)) assert.equal(peers.daysOf(HOST, c, 0), 1);
  noteOn(peers, all[0]!, 2);
  assert.equal(peers.daysOf(HOST, all[0]!, 0), 0, 'its days are forgotten');
});

test('what a host is told to forget begins anew, and what was written is read again in all sets', () => {
  const peers = new UsualPeers(256, 8);
  const c = contactWith(1);
  for (let day = 0; day < 3; day++) noteOn(peers, c, day);
  peers.clear(HOST);
  assert.equal(peers.daysOf(HOST, c, 0), 0);
  assert.equal(noteOn(peers, c, 2), true);
  const lastMs = (FIRST_DAY * DAY_US) / 1000;
  const told = Array.from({ length: 60 }, (_, i) => ({
    address: i % 2 === 0 ? `203.0.113.${i + 2}` : `2001:db8::${i}`,
    port: 22,
    proto: 6,
    days: i + 1,
    lastMs,
  }));
  peers.write(HOST, c.src[0]!, told);
  const read = peers.read(new Set([HOST])).get(HOST)!;
  assert.deepEqual(
    read.filter((p) => p.port === 22),
    told.toReversed(),
  );
  assert.equal(read.length, 61);
});
