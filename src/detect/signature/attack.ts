import type { AttackReference } from '../../domain/detection.js';

/** MITRE ATT&CK reference in a rule's metadata, as Emerging Threats writes it. */
export function toAttack(metadata: Readonly<Record<string, readonly string[]>>): AttackReference | undefined {
  const techniqueId = metadata['mitre_technique_id']?.[0];
  if (techniqueId === undefined) return undefined;
  const text = (key: string): string | undefined => metadata[key]?.[0]?.replaceAll('_', ' ');
  const tacticId = metadata['mitre_tactic_id']?.[0];
  const tacticName = text('mitre_tactic_name');
  return {
    techniqueId,
    techniqueName: text('mitre_technique_name') ?? techniqueId,
    ...(tacticId === undefined ? {} : { tacticId }),
    ...(tacticName === undefined ? {} : { tacticName }),
  };
}
