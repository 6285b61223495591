/** The script of the API viewer, served as it stands. It writes text only through `textContent`. */
export const VIEWER_SCRIPT = `'use strict';
const make = (tag, text, className) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (className) node.className = className;
  return node;
};
const typeOf = (schema) => {
  if (!schema) return '';
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf || schema.oneOf) return (schema.anyOf || schema.oneOf).map(typeOf).join(' or ');
  if (schema.type === 'array') return 'list of ' + typeOf(schema.items);
  return [schema.type, schema.format].filter(Boolean).join(' ');
};
function parameters(list) {
  const table = make('table');
  for (const p of list) {
    const row = make('tr');
    row.append(make('td', p.name + (p.required ? ' *' : '')), make('td', p.in), make('td', typeOf(p.schema)));
    table.append(row);
  }
  return table;
}
function schemaBlock(title, content) {
  const part = make('div');
  part.append(make('h3', title));
  for (const [type, { schema }] of Object.entries(content || {})) {
    part.append(make('code', type), make('pre', JSON.stringify(schema, null, 2)));
  }
  return part;
}
function operation(method, path, op) {
  const box = make('details');
  box.id = op.operationId;
  const head = make('summary');
  head.append(make('span', method.toUpperCase(), 'method'), make('code', path), make('span', op['x-access'] || '', 'access'));
  head.append(make('div', op.summary));
  box.append(head);
  box.addEventListener('toggle', () => {
    if (!box.open || box.dataset.full) return;
    box.dataset.full = 'yes';
    if (op.parameters) box.append(make('h3', 'Parameters'), parameters(op.parameters));
    if (op.requestBody) box.append(schemaBlock('Request', op.requestBody.content));
    for (const [status, answer] of Object.entries(op.responses)) {
      if (answer.content) box.append(schemaBlock('Answer ' + status, answer.content));
    }
  });
  return box;
}
async function start() {
  const main = document.getElementById('operations');
  const answer = await fetch('/openapi.json');
  const doc = await answer.json();
  const groups = new Map();
  const all = [];
  for (const [path, methods] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(methods)) {
      const box = operation(method, path, op);
      const text = [path, method, op.summary, op.operationId, op['x-access']].join(' ').toLowerCase();
      all.push({ box, text });
      const tag = (op.tags && op.tags[0]) || '';
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(box);
    }
  }
  main.textContent = '';
  main.append(make('p', doc.info.title + ' ' + doc.info.version + ': ' + doc.info.description));
  for (const [tag, boxes] of groups) {
    const section = make('section');
    section.append(make('h2', tag), ...boxes);
    main.append(section);
  }
  document.getElementById('search').addEventListener('input', (event) => {
    const words = event.target.value.toLowerCase().split(/\\s+/).filter(Boolean);
    for (const { box, text } of all) box.hidden = !words.every((word) => text.includes(word));
    for (const section of main.querySelectorAll('section')) {
      section.hidden = [...section.querySelectorAll('details')].every((box) => box.hidden);
    }
  });
}
start().catch((error) => {
  document.getElementById('operations').textContent = 'The document could not be loaded: ' + error.message;
});
`;
