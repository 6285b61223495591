import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile, problemOf } from './rules.js';

/** Each test of a transaction as `name operator number[,number]`. */
function testsOf(options: string): string[] {
  const rule = compile(`alert ip any any -> any any (${options} sid:1;)`);
  return rule.transactionTests.map(({ kind, name, range, orRanges }) => {
    const ranges = [range!, ...(orRanges ?? [])].map((r) => `${r.operator}${r.a}${r.operator.endsWith('<>') ? `,${r.b}` : ''}`); // prettier-ignore
    return `${kind === 'age' ? 'age of ' : ''}${name} ${ranges.join(' or ')}`;
  });
}

const UUID = '4b324fc8-1670-01d3-1278-5a47bf6ee188';

describe('keywords of protocols ask for', () => {
  for (const [options, wanted] of [
    ['snmp.version:3;', ['snmp.version =3']],
    ['snmp.pdu_type:4;', ['snmp.pdu_type =4']],
    ['krb5_msg_type:10;', ['krb5.msg_type =10']],
    ['krb5_err_code:25;', ['krb5.err_code =25']],
    ['krb5.ticket_encryption:weak;', ['krb5.ticket_weak =1']],
    ['krb5.ticket_encryption:rc4-hmac, 18;', ['krb5.ticket_encryption =23 or =18']],
    ['krb5.ticket_encryption:!rc4-hmac, 18;', ['krb5.ticket_encryption !=23', 'krb5.ticket_encryption !=18']],
    ['rfb.sectype:>1;', ['rfb.sectype >1']],
    ['rfb.secresult:!fail;', ['rfb.secresult !=1']],
    ['dhcp.leasetime:>3600;', ['dhcp.leasetime >3600']],
    ['dhcp.renewal_time:<60;', ['dhcp.renewal_time <60']],
    ['dhcp.rebinding_time:60;', ['dhcp.rebinding_time =60']],
    ['ike.exchtype:34;', ['ike.exchtype =34']],
    ['ike.chosen_sa_attribute:alg_enc=7;', ['ike.sa.alg_enc =7']],
    ['ike.key_exchange_payload_length:>128;', ['ike.key_exchange_payload_length >128']],
    ['ike.nonce_payload_length:16;', ['ike.nonce_payload_length =16']],
    [`dcerpc.iface:${UUID};`, [`dcerpc.iface=${UUID} >=0`]],
    [`dce_iface:${UUID.toUpperCase()},>1,any_frag;`, [`dcerpc.iface=${UUID} >1`]],
    ['dcerpc.opnum:15,18-20;', ['dcerpc.opnum =15 or <>17,21']],
    ['dce_opnum:0;', ['dcerpc.opnum =0']],
    ['dnp3_func:direct_operate;', ['dnp3.func =5']],
    ['dnp3_func:!130;', ['dnp3.func !=130']],
    ['dnp3_obj:12,1;', ['dnp3.obj=12,1 =1']],
    ['enip_command:99;', ['enip.command =99']],
    ['cip_service:10;', ['cip.service=10 =1']],
    ['cip_service:14, 1, 7;', ['cip.service=14,1,7 =1']],
    ['cip_service:14,1,!7;', ['cip.service=14,1,last !=7']],
    ['ftp.mode:active;', ['ftp.mode =0']],
    ['ftp.mode:passive;', ['ftp.mode =1']],
    ['ftp.dynamic_port:59913-59915;', ['ftp.dynamic_port <>59913,59915']],
    ['ftp.reply_received:off;', ['ftp.reply_received =0']],
    ['smb.version:2;', ['smb.version =2']],
    ['ldap.request.operation:!unbind_request;', ['ldap.request.operation !=2']],
    ['ldap.responses.operation:search_result_done,-1;', ['ldap.responses.operation =5']],
    ['ldap.responses.result_code:invalid_credentials,all;', ['ldap.responses.result_code =49']],
    ['ldap.responses.result_code:>48;', ['ldap.responses.result_code >48']],
    ['ldap.responses.count:>=2;', ['ldap.responses.count >=2']],
    ['websocket.opcode:!ping;', ['websocket.opcode !=9']],
    ['websocket.opcode:>8;', ['websocket.opcode >8']],
    ['websocket.mask:>0;', ['websocket.mask >0']],
    ['websocket.flags:fin,!comp;', ['websocket.flags &=192']],
    ['websocket.flags:&0x40=0x40;', ['websocket.flags &=64']],
    ['nfs.version:3;', ['nfs.version =3']],
    ['nfs_procedure:6<>9;', ['nfs.procedure <>6,9']],
    ['modbus: function 8, subfunction 4;', ['modbus.function =8', 'modbus.subfunction =4']],
    ['modbus: function !user;', ['modbus.function !<>64,73', 'modbus.function !<>99,111']],
    [
      'modbus: unit 10, access write holding, address 100, value >1000;',
      ['modbus.unit =10', 'modbus.access&2 =1', 'modbus.table =8', 'modbus.address =100', 'modbus.value >1000'],
    ],
    ['ssl_state:client_hello|server_hello;', ['ssl_state&3 =1']],
    ['ssl_state:!client_hello;', ['ssl_state&30 =1']],
    ['tls_cert_notbefore:>2016-07-20;', ['tls.notbefore >1468972800']],
    ['tls_cert_notafter:1998-05-01<>2008-05-01T12:00:00;', ['tls.notafter <>893980800,1209643200']],
    ['tls_cert_expired;', ['age of tls.notafter >0']],
    ['tls_cert_valid;', ['age of tls.notbefore >=0', 'age of tls.notafter <=0']],
    ['http2.frametype:GOAWAY;', ['http2.frametype=7 =1']],
    ['http2.settings:SETTINGS_ENABLE_PUSH 0;', ['http2.settings=2 =0']],
    ['http2.priority:>100;', ['http2.priority >100']],
    ['http2.window:<1000;', ['http2.window <1000']],
    ['http2.size_update:>4096;', ['http2.size_update >4096']],
    ['http2.size_update:>4kb;', ['http2.size_update >4096']],
    ['http2.size_update:1KiB-2mb;', ['http2.size_update <>1024,2097152']],
    ['http2.window:&0xc0=0x80;', ['http2.window &=192']],
    ['http2.window:&0xc0!=0;', ['http2.window &!=192']],
  ] as [string, string[]][]) {
    // prettier-ignore
    test(`${options} ${wanted.join(' and ')}`, () => {
      assert.deepEqual(testsOf(options), wanted);
    });
  }
});

describe('refused with a reason:', () => {
  for (const [options, reason] of [
    ['krb5.ticket_encryption:rot13;', /not an encryption type/],
    ['rfb.secresult:maybe;', /none of ok/],
    ['ike.chosen_sa_attribute:alg_enc;', /attribute and its number/],
    ['dcerpc.iface:4b324fc8;', /not a UUID/],
    ['dcerpc.opnum:a;', /neither a number nor a range/],
    ['modbus: colour red;', /not understood/],
    ['dnp3_obj:12;', /group and a variation/],
    ['cip_service:128;', /128/],
    ['cip_service:1,2,3,4;', /perhaps a class/],
    ['modbus: access write everything;', /none of discretes/],
    ['ssl_state:goodbye;', /none of client_hello/],
    ['tls_cert_notafter:>yesterday;', /not a date/],
    ['ldap.request.operation:hack_request;', /not a number or range/],
    ['ldap.responses.result_code:success,some;', /which of the numbers/],
    ['websocket.flags:fin,rsv4;', /none of fin, comp/],
    ['websocket.opcode:shout;', /not a number or range/],
    ['ftp.mode:extended;', /none of active, passive/],
    ['ftp.dynamic_port:65536;', /not between/],
    ['ftp.reply_received:maybe;', /none of yes/],
    ['http2.frametype:LETTER;', /none of DATA|none of data/],
    ['http2.window:&0xc0=2;', /no number has the bits/],
    ['http2.priority:1kb;', /not between 0 and 255/],
    ['app-layer-protocol:tls|dns; prefilter;', /not for several protocols/],
  ] as [string, RegExp][]) {
    test(options, () => {
      assert.match(problemOf(`alert ip any any -> any any (${options} sid:1;)`).reason, reason);
    });
  }
});
