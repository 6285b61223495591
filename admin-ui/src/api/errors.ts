/** One field that the server refused, RFC 9457 extension member `errors`. */
export interface FieldProblem {
  path: string;
  message: string;
  line?: number;
  column?: number;
}

/** A refused or failed request. `status` 0 means that no answer came at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly problems: FieldProblem[];
  readonly retryAfterSecs: number;

  constructor(
    status: number,
    code: string,
    title: string,
    detail = '',
    extra: { problems?: FieldProblem[]; retryAfterSecs?: number } = {},
  ) {
    super(detail || title);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.problems = extra.problems ?? [];
    this.retryAfterSecs = extra.retryAfterSecs ?? 0;
  }

  get isOffline(): boolean {
    return this.status === 0;
  }

  /** The server does not have this endpoint (older version, or a part that is switched off). */
  get isMissing(): boolean {
    return this.status === 501 || this.status === 404 || this.status === 405;
  }

  /** Nothing is wrong with the request: later, the same one may be answered. */
  get isPassing(): boolean {
    return this.isOffline || this.status === 429 || this.status >= 500;
  }

  get isForbidden(): boolean {
    return this.status === 403;
  }
}

/** Reads a problem+json body; anything else still becomes an ApiError. */
export async function toApiError(response: Response): Promise<ApiError> {
  let body: Record<string, unknown> = {};
  try {
    const parsed: unknown = await response.json();
    if (typeof parsed === 'object' && parsed !== null) body = parsed as Record<string, unknown>;
  } catch {
    // Not JSON: the status says enough.
  }
  const text = (key: string): string => (typeof body[key] === 'string' ? body[key] : '');
  return new ApiError(
    response.status,
    text('code') || `http.${response.status}`,
    text('title') || `HTTP ${response.status}`,
    text('detail'),
    {
      problems: toProblems(body['errors']),
      retryAfterSecs: Number(response.headers.get('retry-after') ?? 0) || 0,
    },
  );
}

function toProblems(errors: unknown): FieldProblem[] {
  if (!Array.isArray(errors)) return [];
  return errors.map((item: unknown) => {
    if (typeof item === 'string') return { path: '', message: item };
    const entry = (item ?? {}) as Record<string, unknown>;
    const path = entry['path'];
    const problem: FieldProblem = {
      path: Array.isArray(path) ? path.join('.') : String(path ?? ''),
      message: String(entry['message'] ?? ''),
    };
    if (typeof entry['line'] === 'number') problem.line = entry['line'];
    if (typeof entry['column'] === 'number') problem.column = entry['column'];
    return problem;
  });
}
