import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeArgs } from '../../support/program.js';
import type { StartService } from './index.js';
import { listening } from './ready.js';

/** Static files of the site: name and bytes. Their content is random: nothing on the way can compress it. */
export const STATIC_FILES: readonly (readonly [name: string, bytes: number])[] = [
  ...Array.from({ length: 12 }, (_, i) => [`page${i}.html`, 4_000 + 3_000 * i] as const),
  ...Array.from({ length: 8 }, (_, i) => [`image${i}.jpg`, 30_000 + 25_000 * i] as const),
  ['style.css', 18_000],
  ['app.js', 140_000],
  ['package.tar', 8_000_000],
  ['video.bin', 4_000_000],
];

/** nginx on ports 80 and 443 with static files, basic auth on /private/, and a small application behind /app/. */
export const startNginx: StartService = async (host, dir) => {
  const root = join(dir, 'www');
  mkdirSync(join(root, 'private'), { recursive: true });
  writeFileSync(join(root, 'index.html'), '<!doctype html><title>Lab</title><h1>It works</h1>\n');
  writeFileSync(join(root, 'private/index.html'), 'members only\n');
  for (const [name, bytes] of STATIC_FILES) writeFileSync(join(root, name), randomBytes(bytes));
  writeFileSync(join(dir, 'htpasswd'), `bob:${openssl(['passwd', '-apr1', 'sunshine']).trim()}\n`);
  const certificate = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30'];
  const files = ['-keyout', join(dir, 'tls.key'), '-out', join(dir, 'tls.crt'), '-subj', '/CN=www.lab.example'];
  openssl(['req', ...certificate, ...files]);
  const config = join(dir, 'nginx.conf');
  writeFileSync(config, configuration(dir, root));
  const app = host.start(process.execPath, nodeArgs('test/lab/services/web-app.ts'));
  await app.waitForOutput(/web-app: ready/);
  const nginx = host.start('/usr/sbin/nginx', ['-c', config, '-e', join(dir, 'nginx-error.log')]);
  await listening(host, nginx, 443);
  return [nginx, app];
};

function openssl(args: string[]): string {
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function configuration(dir: string, root: string): string {
  return `
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
user root;
events { worker_connections 4096; }
http {
  access_log ${dir}/nginx-access.log;
  default_type text/html;
  client_body_temp_path ${dir}/nginx-body;
  proxy_temp_path ${dir}/nginx-proxy;
  fastcgi_temp_path ${dir}/nginx-fastcgi;
  uwsgi_temp_path ${dir}/nginx-uwsgi;
  scgi_temp_path ${dir}/nginx-scgi;
  server {
    listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;
    ssl_certificate ${dir}/tls.crt;
    ssl_certificate_key ${dir}/tls.key;
    root ${root};
    location /private/ { auth_basic "members"; auth_basic_user_file ${dir}/htpasswd; }
    location /app/ { proxy_pass http://127.0.0.1:8080; }
    location /video.bin { limit_rate 400k; }
  }
}
`;
}
