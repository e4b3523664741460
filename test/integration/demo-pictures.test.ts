import { describeDemo } from './demo-suite.js';

describeDemo('demo', []);
