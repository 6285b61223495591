import { parseDocument, type Document } from 'yaml';

export interface LadderStep {
  action: string;
  scope: string;
  duration: string;
}

/** The common part of a policy, as fields. What the form does not know stays in the text as it is. */
export interface PolicyFields {
  description: string;
  enabled: boolean;
  mode: string;
  priority: number;
  outcome: string;
  tiers: string[];
  labels: string;
  ports: string;
  minSeverity: string;
  minConfidence: string;
  minTiers: string;
  whenSpoofable: string;
  blocksPerMinute: string;
  ladder: LadderStep[];
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value));
const words = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : '');

/** Null when the text cannot be read as a mapping: then only the text editor helps. */
export function readFields(yaml: string): PolicyFields | null {
  const doc = parseDocument(yaml);
  const root: unknown = doc.errors.length > 0 ? null : doc.toJS();
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return null;
  const get = (...path: string[]): unknown => doc.getIn(path);
  const at = (...path: string[]): unknown => {
    let value: unknown = root;
    for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
    return value;
  };
  const ladder = at('respond', 'ladder');
  return {
    description: text(get('description')),
    enabled: get('enabled') !== false,
    mode: text(get('mode')) || 'enforce',
    priority: Number(get('priority') ?? 1000),
    outcome: text(get('outcome')) || 'act',
    tiers: (at('when', 'tiers') as string[] | undefined) ?? [],
    labels: words(at('when', 'labels')),
    ports: words(at('when', 'ports')),
    minSeverity: text(get('when', 'min_severity')),
    minConfidence: text(get('when', 'min_confidence')),
    minTiers: text(get('when', 'min_tiers')),
    whenSpoofable: text(get('respond', 'when_spoofable')),
    blocksPerMinute: text(get('caps', 'blocks_per_minute')),
    ladder: (Array.isArray(ladder) ? (ladder as Record<string, unknown>[]) : []).map((step) => ({
      action: text(step['action']),
      scope: text(step['scope']) || 'ip',
      duration: text(step['duration']),
    })),
  };
}

/** Writes the fields that differ into the text; comments, order and everything else stay. */
export function writeFields(yaml: string, next: PolicyFields): string {
  const before = readFields(yaml);
  if (!before) return yaml;
  const doc = parseDocument(yaml);
  const changed = (key: keyof PolicyFields): boolean => JSON.stringify(before[key]) !== JSON.stringify(next[key]);
  const put = (key: keyof PolicyFields, path: string[], value: unknown): void => {
    if (!changed(key)) return;
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) doc.deleteIn(path);
    else doc.setIn(path, flowList(doc, value));
  };
  put('description', ['description'], next.description);
  put('enabled', ['enabled'], next.enabled);
  put('mode', ['mode'], next.mode);
  put('priority', ['priority'], next.priority);
  put('outcome', ['outcome'], next.outcome);
  put('tiers', ['when', 'tiers'], next.tiers);
  put('labels', ['when', 'labels'], splitWords(next.labels));
  put('ports', ['when', 'ports'], splitWords(next.ports).map(toNumber));
  put('minSeverity', ['when', 'min_severity'], next.minSeverity);
  put('minConfidence', ['when', 'min_confidence'], next.minConfidence === '' ? '' : Number(next.minConfidence));
  put('minTiers', ['when', 'min_tiers'], next.minTiers === '' ? '' : Number(next.minTiers));
  put('whenSpoofable', ['respond', 'when_spoofable'], next.whenSpoofable);
  put(
    'blocksPerMinute',
    ['caps', 'blocks_per_minute'],
    next.blocksPerMinute === '' ? '' : Number(next.blocksPerMinute),
  );
  if (changed('ladder')) writeLadder(doc, next.ladder);
  const written = doc.toString({ lineWidth: 120 });
  // The writer pads lists as it pads mappings: lists that were written tightly stay so.
  return /: \[ /.test(yaml) ? written : written.replace(/^(\s*(?:- )*[\w-]+: )\[ (.*) \]( *#.*)?$/gm, '$1[$2]$3');
}

/** Each step keeps what the form does not show, such as its prefix lengths. */
function writeLadder(doc: Document, ladder: LadderStep[]): void {
  const old = (doc.toJS() as { respond?: { ladder?: Record<string, unknown>[] } }).respond?.ladder ?? [];
  const steps = ladder.map((step, index) => ({ ...old[index], ...step, duration: toNumber(step.duration) }));
  const node = doc.createNode(steps);
  for (const item of (node as unknown as { items: { flow?: boolean }[] }).items) item.flow = true;
  doc.setIn(['respond', 'ladder'], node);
}

function flowList(doc: Document, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const node = doc.createNode(value);
  (node as unknown as { flow: boolean }).flow = true;
  return node;
}

const splitWords = (value: string): string[] => value.split(/[\s,]+/).filter(Boolean);
const toNumber = (value: string): string | number => (/^\d+$/.test(value) ? Number(value) : value);
