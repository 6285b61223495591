import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRateLimit } from '../../../src/api/middleware/rate-limit.js';

const limited = { login: 2, read: 1000, write: 1000, heavy: 1000 };

async function attempts(addresses: readonly string[]): Promise<number> {
  const rateLimit = createRateLimit(limited);
  let passed = 0;
  for (const address of addresses) {
    await rateLimit('login', address).then(
      () => passed++,
      (error: { code?: string }) => {
        assert.equal(error.code, 'request.rate');
      },
    );
  }
  return passed;
}

it('a client has one share of a rate for all addresses of its IPv6 /64, however they are shortened', async () => {
  const sixty4s = {
    '2001:db8::/64': ['2001:db8::1', '2001:db8::a:b:c:d', '2001:db8::1:0:0:1', '2001:db8::ffff'],
    '2001:db8:0:1::/64': ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', '2001:db8:0:1:9::'],
    '2001:db8:1::/64': ['2001:db8:1::5', '2001:db8:1:0:5::', '2001:db8:1::6:0:0:1'],
    'fe80::/64': ['fe80::1', 'fe80::2', 'fe80::3'],
  };
  for (const [network, addresses] of Object.entries(sixty4s)) {
    assert.equal(await attempts(addresses), limited.login, network);
  }
});

it('clients of other networks, and IPv4 addresses, have shares of their own', async () => {
  assert.equal(await attempts(['2001:db8::1', '2001:db8:0:1::1', '2001:db8:1::1', '2001:db9::1']), 4);
  assert.equal(await attempts(['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.1', '192.0.2.1']), 4);
});
