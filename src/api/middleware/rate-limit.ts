import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateClass } from '../../contract/http.js';
import { clientNetwork } from '../client-network.js';
import { userError } from '../errors.js';
import type { ApiOptions } from '../options.js';

/** Counts a request against its class. @throws AppError request.rate */
export type RateLimit = (rate: RateClass, address: string) => Promise<void>;

/** One bucket for each class and address; an IPv6 client counts as its /64. */
export function createRateLimit(rates: ApiOptions['rates']): RateLimit {
  const limiter = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: 60 });
  const limiters: Record<RateClass, RateLimiterMemory> = {
    login: limiter(rates.login),
    read: limiter(rates.read),
    write: limiter(rates.write),
    heavy: limiter(rates.heavy),
  };
  return async (rate, address) => {
    try {
      await limiters[rate].consume(clientNetwork(address));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfterSecs = Math.max(1, Math.ceil(refusal.msBeforeNext / 1000));
      throw userError({
        code: 'request.rate',
        message: 'Too many requests.',
        fix: `Try again in ${retryAfterSecs} s.`,
        context: { retryAfterSecs },
      });
    }
  };
}
