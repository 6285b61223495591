import type { Direction } from '../../../domain/flow.js';
import { splitAmong } from '../parse/among.js';
import { addNumber, codeRange, number, useProtos } from './numbers.js';
import type { Keyword } from './payload.js';

const LDAP = ['ldap'];
const MAX_OPERATION = 255;
const MAX_CODE = 0xffffffff;

/** Operations and result codes (RFC 4511; IANA, LDAP Result Codes) as Suricata names them. */
const OPERATIONS: Readonly<Record<string, number>> = {
  bind_request: 0,
  bind_response: 1,
  unbind_request: 2,
  search_request: 3,
  search_result_entry: 4,
  search_result_done: 5,
  modify_request: 6,
  modify_response: 7,
  add_request: 8,
  add_response: 9,
  del_request: 10,
  del_response: 11,
  mod_dn_request: 12,
  mod_dn_response: 13,
  compare_request: 14,
  compare_response: 15,
  abandon_request: 16,
  search_result_reference: 19,
  extended_request: 23,
  extended_response: 24,
  intermediate_response: 25,
};

const NAMES: readonly (readonly [number, string])[] = [
  [0, 'success operations_error protocol_error time_limit_exceeded size_limit_exceeded compare_false compare_true auth_method_not_supported stronger_auth_required'],
  [10, 'referral admin_limit_exceeded unavailable_critical_extension confidentiality_required sasl_bind_in_progress'],
  [16, 'no_such_attribute undefined_attribute_type inappropriate_matching constraint_violation attribute_or_value_exists invalid_attribute_syntax'],
  [32, 'no_such_object alias_problem invalid_dns_syntax is_leaf alias_dereferencing_problem'],
  [48, 'inappropriate_authentication invalid_credentials insufficient_access_rights busy unavailable unwilling_to_perform loop_detect'],
  [60, 'sort_control_missing offset_range_error'],
  [64, 'naming_violation object_class_violation not_allowed_on_non_leaf not_allowed_on_rdn entry_already_exists object_class_mods_prohibited results_too_large affects_multiple_dsas'],
  [76, 'control_error'],
  [80, 'other server_down local_error encoding_error decoding_error timeout auth_unknown filter_error user_canceled param_error no_memory connect_error not_supported control_not_found no_results_returned more_results_to_return client_loop referral_limit_exceeded'],
  [100, 'invalid_response ambiguous_response'],
  [112, 'tls_not_supported intermediate_response unknown_type'],
  [118, 'canceled no_such_operation too_late cannot_cancel assertion_failed authorization_denied'],
  [4096, 'e_sync_refresh_required'],
  [16_654, 'no_operation'],
]; // prettier-ignore
const RESULT_CODES: Readonly<Record<string, number>> = Object.fromEntries(
  NAMES.flatMap(([first, names]) => names.split(' ').map((name, i) => [name, first + i])),
);

function ofRequest(name: string, direction: Direction): Keyword {
  return (b, value) => {
    addNumber(b, name, codeRange(value, OPERATIONS, MAX_OPERATION), LDAP, direction);
  };
}

/** There may be several answers: `success,all` and the like. */
function ofResponses(name: string, names: Readonly<Record<string, number>>, max: number): Keyword {
  return (b, value) => {
    const { range, among } = splitAmong(value);
    b.rule.transactionTests.push({ kind: 'number', name, range: codeRange(range, names, max), among, direction: 1 });
    useProtos(b, LDAP);
  };
}

/** Keywords of LDAP beside its buffers. */
export const LDAP_KEYWORDS: Readonly<Record<string, Keyword>> = {
  'ldap.request.operation': ofRequest('ldap.request.operation', 0),
  'ldap.responses.operation': ofResponses('ldap.responses.operation', OPERATIONS, MAX_OPERATION),
  'ldap.responses.result_code': ofResponses('ldap.responses.result_code', RESULT_CODES, MAX_CODE),
  'ldap.responses.count': number('ldap.responses.count', LDAP, { max: MAX_CODE, direction: 1 }),
};
