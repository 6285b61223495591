export { classKnowledge } from './knowledge.js';
