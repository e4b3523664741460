import { clientsFolder, jsonLines, testBuilt, type TestLine } from './client-program.js';

const FOLDER = 'conformance-java';
const folder = clientsFolder(FOLDER);
const args = ['-XX:TieredStopAtLevel=1', '-cp', `${folder}/classes:${folder}/jars/*`, 'Main'];

testBuilt('the Java client', FOLDER, ['java', ...args], (stdout) => jsonLines<TestLine>(stdout));
