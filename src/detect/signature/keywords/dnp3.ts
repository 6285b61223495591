import { parseNumber } from '../parse/number.js';
import type { RuleBuilder } from './builder.js';
import { addNumber, equals, named } from './numbers.js';
import type { Keyword } from './payload.js';

const DNP3 = ['dnp3'];
/** Functions by number (IEEE 1815 4.2.2.5); empty where there is none. */
const REQUESTS = 'confirm read write select operate direct_operate direct_operate_nr immed_freeze immed_freeze_nr freeze_clear freeze_clear_nr freeze_at_time freeze_at_time_nr cold_restart warm_restart initialize_data initialize_appl start_appl stop_appl save_config enable_unsolicited disable_unsolicited assign_class delay_measure record_current_time open_file close_file delete_file get_file_info authenticate_file abort_file activate_config authenticate_req authenticate_err'.split(' '); // prettier-ignore
const FUNCTIONS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(REQUESTS.map((name, number) => [name, number])),
  response: 129,
  unsolicited_response: 130,
  authenticate_resp: 131,
};
/** Internal indications from the highest bit down (IEEE 1815 4.2.2.6). */
const INDICATIONS = 'device_restart device_trouble local_control need_time class_3_events class_2_events class_1_events all_stations reserved_1 reserved_2 config_corrupt already_executing event_buffer_overflow parameter_error object_unknown no_func_code_support'.split(' '); // prettier-ignore

/** `device_restart, need_time`: any of these indications is set. */
function indications(b: RuleBuilder, value: string): void {
  let wanted = 0;
  for (const name of value.split(',').map((part) => part.trim().toLowerCase())) {
    const at = INDICATIONS.indexOf(name);
    const bits = at >= 0 ? 0x8000 >>> at : /^(0x[0-9a-f]{1,4}|\d{1,5})$/.test(name) ? Number(name) : 0;
    if (bits === 0) throw new Error(`"${name}" is none of ${INDICATIONS.join(', ')}`);
    wanted |= bits;
  }
  addNumber(b, 'dnp3.ind', { operator: '&', a: wanted, b: 0 }, DNP3, 1);
}

/** `GROUP,VARIATION` of an object. */
function object(b: RuleBuilder, value: string): void {
  const parts = value.split(',').map((part) => parseNumber(part.trim(), 0, 255));
  if (parts.length !== 2) throw new Error('needs a group and a variation');
  addNumber(b, `dnp3.obj=${parts.join(',')}`, equals(1), DNP3);
}

/** Keywords of DNP3. */
export const DNP3_KEYWORDS: Readonly<Record<string, Keyword>> = {
  dnp3_func: named('dnp3.func', DNP3, FUNCTIONS),
  dnp3_ind: indications,
  dnp3_obj: object,
};
