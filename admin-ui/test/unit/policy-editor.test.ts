import { describe, expect, it } from 'vitest';
import { completions, yamlPlace, type JsonSchema } from '@/components/policies/schema-completion';
import { readFields, writeFields } from '@/components/policies/policy-form';

const YAML = `# Why this exists
format: 1
name: scan
description: Scanners are stopped. # kept
mode: suggest
when:
  tiers: [behaviour]
  labels: [port_scan, host_sweep]
  min_confidence: 0.5
respond:
  ladder:
    - { action: block, scope: cidr, prefix4: 28, duration: 10m }
    - { action: block, scope: ip, duration: 1h }
  forget_after: 7d
`;

describe('the form of a policy', () => {
  it('reads the common fields', () => {
    expect(readFields(YAML)).toMatchObject({
      mode: 'suggest',
      tiers: ['behaviour'],
      labels: 'port_scan, host_sweep',
      minConfidence: '0.5',
      ladder: [
        { action: 'block', scope: 'cidr', duration: '10m' },
        { action: 'block', scope: 'ip', duration: '1h' },
      ],
    });
  });

  it('writes what changed and leaves comments, order and unknown keys alone', () => {
    const fields = readFields(YAML);
    if (!fields) throw new Error('unreadable');
    const [first] = fields.ladder;
    const next = writeFields(YAML, {
      ...fields,
      mode: 'enforce',
      minConfidence: '0.9',
      ladder: [{ ...first!, duration: '30m' }],
    });
    expect(next).toContain('# Why this exists');
    expect(next).toContain('# kept');
    expect(next).toContain('mode: enforce');
    expect(next).toContain('min_confidence: 0.9');
    expect(next).toContain('forget_after: 7d');
    expect(next).toMatch(/- \{ action: block, scope: cidr, prefix4: 28, duration: 30m \}/);
    expect(next).not.toContain('duration: 1h');
  });

  it('takes an emptied condition out', () => {
    const fields = readFields(YAML);
    if (!fields) throw new Error('unreadable');
    expect(writeFields(YAML, { ...fields, labels: '' })).not.toContain('labels');
  });

  it('steps back from a text that is no policy', () => {
    expect(readFields('- just\n- a list')).toBeNull();
    expect(readFields('a: [')).toBeNull();
    expect(writeFields('a: [', {} as never)).toBe('a: [');
  });
});

const SCHEMA: JsonSchema = {
  properties: {
    name: { type: 'string' },
    mode: { enum: ['observe', 'suggest', 'enforce'] },
    when: {
      properties: {
        tiers: { type: 'array', items: { enum: ['signature', 'behaviour'] } },
        min_severity: { enum: ['low', 'high'] },
      },
    },
    respond: {
      properties: {
        ladder: {
          type: 'array',
          items: { properties: { action: { enum: ['watch', 'block'] }, scope: { enum: ['ip'] }, duration: {} } },
        },
      },
    },
  },
};
/** Labels offered where `|` stands. */
function offered(text: string): string[] {
  const pos = text.indexOf('|');
  return completions(SCHEMA, yamlPlace(text.replace('|', ''), pos)).map((c) => c.label);
}

describe('completion of a policy', () => {
  it.each([
    ['keys of the top that are not there yet', 'name: x\n|', ['mode', 'when', 'respond']],
    ['values of a key', 'mode: |', ['observe', 'suggest', 'enforce']],
    ['keys of a mapping below', 'when:\n  |', ['tiers', 'min_severity']],
    ['values in a flow list', 'when:\n  tiers: [signature, |', ['signature', 'behaviour']],
    ['keys of a flow mapping', 'when: { min_severity: low, |', ['tiers']],
    ['values in a flow mapping', 'when: { min_severity: |', ['low', 'high']],
    ['keys of a list item', 'respond:\n  ladder:\n    - |', ['action', 'scope', 'duration']],
    ['keys of a flow mapping in a list', 'respond:\n  ladder:\n    - { action: block, |', ['scope', 'duration']],
    ['values of a list item', 'respond:\n  ladder:\n    - action: |', ['watch', 'block']],
    ['nothing below an unknown key', 'other:\n  |', []],
  ])('offers %s', (_name, text, expected) => {
    expect(offered(text)).toEqual(expected);
  });
});

describe('what the form writes', () => {
  it('differs from the text before in the changed line only', () => {
    const fields = readFields(YAML);
    if (!fields) throw new Error('unreadable');
    const next = writeFields(YAML, { ...fields, minConfidence: '0.75' });
    const changed = next.split('\n').filter((line, i) => line !== YAML.split('\n')[i]);
    expect(changed).toEqual(['  min_confidence: 0.75']);
  });
});
