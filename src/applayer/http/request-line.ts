import { isSpace, latin1 } from './bytes.js';
import type { HttpTransaction } from './transaction.js';
import { normalizeUri } from './uri.js';

const SPACE = 32;
/** What begins so behind a request is the next one; anything else there still belongs to its body. */
const METHOD =
  /^\s*(GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|VERSION-CONTROL|CHECKOUT|UNCHECKOUT|CHECKIN|UPDATE|LABEL|REPORT|MKWORKSPACE|MKACTIVITY|BASELINE-CONTROL|MERGE|INVALID)?(\s|$)/;
/** Longest beginning of a line in which a method is looked for. */
const METHOD_BYTES = 64;

/** An empty line, or one whose first word is a method that is known. */
export function beginsWithMethod(line: Uint8Array): boolean {
  return METHOD.test(latin1(line.subarray(0, METHOD_BYTES)));
}

/** Takes a request's first line apart: method, target, protocol, with blanks wherever servers take them. */
export function readRequestLine(tx: HttpTransaction, d: Uint8Array): void {
  let at = 0;
  while (at < d.length && isSpace(d[at]!)) at++;
  if (at > 0) tx.note('request_line_leading_whitespace');
  const methodAt = at;
  while (at < d.length && !isSpace(d[at]!)) at++;
  tx.method = d.subarray(methodAt, at);
  if (d[at] !== SPACE && at < d.length) tx.note('method_delim_non_compliant');
  while (at < d.length && isSpace(d[at]!)) at++;
  readTarget(tx, d, at);
}

/** The target may hold spaces: the protocol is what follows the last one. */
function readTarget(tx: HttpTransaction, d: Uint8Array, from: number): void {
  let end = d.length;
  while (end > from && isSpace(d[end - 1]!)) end--;
  if (end === from) return;
  let protocolAt = end;
  while (protocolAt > from && d[protocolAt - 1] !== SPACE) protocolAt--;
  if (protocolAt === from) {
    protocolAt = end;
    while (protocolAt > from && !isSpace(d[protocolAt - 1]!)) protocolAt--;
    if (protocolAt > from) tx.note('uri_delim_non_compliant');
  }
  let uriEnd = protocolAt;
  while (uriEnd > from && isSpace(d[uriEnd - 1]!)) uriEnd--;
  if (protocolAt === from) uriEnd = end;
  else {
    tx.request.protocol = d.subarray(protocolAt, end);
    if (!/^HTTP\/(0\.9|1\.[01])$/.test(latin1(tx.request.protocol))) tx.note('request_line_invalid_protocol');
  }
  tx.uri = d.subarray(from, uriEnd);
  tx.parsedUri = normalizeUri(tx.uri);
}
