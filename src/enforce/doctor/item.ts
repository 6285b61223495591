/** One finding of the doctor. */
export interface DoctorItem {
  /** Stable machine name, e.g. `ruleset.flowtable`. */
  id: string;
  status: 'ok' | 'warning' | 'problem';
  title: string;
  /** What was found, and what it means for blocked packets. */
  detail: string;
  fix?: string;
}

export function ok(id: string, title: string, detail: string): DoctorItem {
  return { id, status: 'ok', title, detail };
}

export function warning(id: string, title: string, what: { detail: string; fix: string }): DoctorItem {
  return { id, status: 'warning', title, ...what };
}

export function problem(id: string, title: string, what: { detail: string; fix: string }): DoctorItem {
  return { id, status: 'problem', title, ...what };
}
