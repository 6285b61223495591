import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { createSchedule } from '../../../src/daemons/server/training-schedule.js';

const DAY_MS = 86_400_000;
const at = (hour: number, minute: number, second = 0): number => new Date(2026, 0, 14, hour, minute, second).getTime();

describe('the schedule of training', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: at(20, 0) }));
  afterEach(() => mock.timers.reset());

  it('is due once when its hour is reached, and plans the next night', () => {
    const schedule = createSchedule('30 3 * * *');
    assert.equal(schedule.nextMs(), at(3, 30) + DAY_MS);
    assert.equal(schedule.isDue(), false);
    mock.timers.setTime(at(3, 29, 59) + DAY_MS);
    assert.equal(schedule.isDue(), false);
    mock.timers.setTime(at(3, 30) + DAY_MS);
    assert.equal(schedule.isDue(), true);
    assert.equal(schedule.isDue(), false, 'once a night');
    assert.equal(schedule.nextMs(), at(3, 30) + 2 * DAY_MS);
  });

  it('is due, and once, when the box slept through the hour or its clock was set forward over it', () => {
    const schedule = createSchedule('30 3 * * *');
    mock.timers.setTime(at(9, 0) + 3 * DAY_MS);
    assert.equal(schedule.isDue(), true);
    assert.equal(schedule.isDue(), false);
    assert.equal(schedule.nextMs(), at(3, 30) + 4 * DAY_MS);
  });

  it('plans anew when the clock is set back', () => {
    mock.timers.setTime(at(20, 0) + 30 * DAY_MS);
    const schedule = createSchedule('30 3 * * *');
    assert.equal(schedule.isDue(), false);
    mock.timers.setTime(at(20, 0));
    assert.equal(schedule.isDue(), false);
    assert.equal(schedule.nextMs(), at(3, 30) + DAY_MS, 'not a month from now');
  });
});
