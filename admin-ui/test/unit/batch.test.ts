import { describe, expect, it } from 'vitest';
import { createBatch } from '@/api/batch';

function setUp(max = 100) {
  const timers: (() => void)[] = [];
  const delivered: number[] = [];
  let overflows = 0;
  const batch = createBatch<number>({
    everyMs: 150,
    max,
    deliver: (value) => delivered.push(value),
    onOverflow: () => (overflows += 1),
    setTimeout: (run) => timers.push(run),
  });
  const fire = (): void => timers.splice(0).forEach((run) => run());
  return { batch, delivered, fire, timers, overflows: () => overflows };
}

describe('a batch', () => {
  it('hands over everything that came meanwhile, in order, with one timer', () => {
    const { batch, delivered, fire, timers } = setUp();
    for (let i = 0; i < 50; i += 1) batch.push(i);
    expect(timers).toHaveLength(1);
    expect(delivered).toEqual([]);
    fire();
    expect(delivered).toEqual(Array.from({ length: 50 }, (_, i) => i));
    batch.push(50);
    fire();
    expect(delivered[50]).toBe(50);
  });

  it('drops what it cannot hold and says so once', () => {
    const { batch, delivered, fire, overflows } = setUp(10);
    for (let i = 0; i < 25; i += 1) batch.push(i);
    fire();
    expect(overflows()).toBe(1);
    expect(delivered.length).toBeLessThanOrEqual(10);
    expect(delivered[delivered.length - 1]).toBe(24);
  });

  it('forgets what waits when it is cleared', () => {
    const { batch, delivered, fire } = setUp();
    batch.push(1);
    batch.clear();
    fire();
    expect(delivered).toEqual([]);
  });
});
