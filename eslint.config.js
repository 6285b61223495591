import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import vue from 'eslint-plugin-vue';
import globals from 'globals';
import ts from 'typescript-eslint';
import vueParser from 'vue-eslint-parser';

export default ts.config(
  { ignores: ['.cache/', 'dist/', 'node_modules/', 'coverage/', 'docs/**', 'models/**', 'test/lab/www/**'] },
  js.configs.recommended,
  ...ts.configs.strict,
  // Its rules say for which files they are only where they need Vue's parser.
  ...vue.configs['flat/recommended'].map((config) => ({ files: ['admin-ui/**/*.ts', '**/*.vue'], ...config })),
  {
    files: ['**/*.ts', '**/*.vue'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.vue'], sourceType: 'module' } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Typed arrays indexed inside a proven range are the hot path's bread: `a[i]!` states the proof.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-console': 'error',
      'no-control-regex': 'off',
    },
  },
  {
    files: ['**/*.vue'],
    languageOptions: { parser: vueParser, globals: globals.browser },
    rules: { 'vue/multi-word-component-names': 'off', 'no-undef': 'off' },
  },
  { files: ['admin-ui/**/*.ts'], languageOptions: { globals: globals.browser } },
  {
    files: ['scripts/**', 'test/**', 'admin-ui/test/browser/**', 'src/cli/**'],
    languageOptions: { globals: globals.node },
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**'],
    ignores: ['test/support/fuzz.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { name: 'fast-check', message: 'test/support/fuzz.ts gives it the seed of the run' },
      ],
    },
  },
  { files: ['**/*.cjs', '**/*.mjs', '**/*.js'], languageOptions: { globals: globals.node } },
  prettier,
);
