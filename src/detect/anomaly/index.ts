export { anomalyKnowledge } from './knowledge.js';
