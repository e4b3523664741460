import { describeDemo } from './demo-suite.js';

describeDemo('demo with --node_executor piscina', ['--node_executor', 'piscina']);
