/** What a program on the box itself needs of the API: tokens signed with its keys, its accounts. Loads no HTTP server. */
export { signLocalToken, type Principal } from '../auth/access.js';
export { addUser, ensureFirstAdmin, keepAnAdmin, NO_TOTP, resetPassword } from '../auth/accounts.js';
export { KEY_FILE, openKeys, type Keys } from '../auth/keys.js';
export { createPasswords, defaultPasswords, type Passwords } from '../auth/password.js';
export { hashRecoveryCode, newRecoveryCodes, newTotp, totpStep } from '../auth/totp.js';
export { certificateFile } from '../certificate.js';
