import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { LOG_LEVELS } from '#src/observability/log-level.js';
import { covers } from '../../contract/covers.js';
import { runLogging, textOf, withLogFile } from './run-logging.js';

const EVERY_LEVEL =
  "for (const level of ['trace', 'debug', 'info', 'warning', 'error', 'critical']) log.serving[level](level);";
const PRINTED = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

describe('logger', () => {
  it('refuses a file that cannot be opened, naming the flag, and goes on as before', () => {
    covers('cli.log-path');
    const { stdout, status } = runLogging(`
      try { configureLogging({ level: 'ERROR', path: '/dev/null/x.log' }); }
      catch (error) { log.serving.info(error.code + ' ' + error.detail); }
      log.serving.info('as before');`);
    assert.equal(status, 0);
    const [refusal = '', next] = stdout.split('\n').slice(0, -1).map(textOf);
    assert.match(refusal, /^CONFIG_VALUE_INVALID --log_path: expected a file that can be written: /);
    assert.equal(next, 'as before');
  });

  it('survives a reader of standard output that went away', async () => {
    await withLogFile(async (path, read) => {
      const { status } = runLogging(`
        import { spawn } from 'node:child_process';
        const child = spawn(process.execPath, ['--input-type=module', '--eval', \`
          import { configureLogging, log } from '\${LOGGER}';
          configureLogging({ level: 'INFO', path: ${JSON.stringify(path)} });
          process.stdin.once('end', () => { for (let i = 0; i < 3; i++) log.serving.info('line ' + i); }).resume();
        \`], { stdio: ['pipe', 'pipe', 'inherit'] });
        child.stdout.once('close', () => child.stdin.end());
        child.stdout.destroy();
        child.once('exit', (code, signal) => process.exit(signal ? 99 : code));`);
      assert.equal(status, 0);
      assert.deepEqual((await read()).map(textOf), ['line 0', 'line 1', 'line 2']);
    });
  });

  it('goes on when the reader of standard output is stuck', async () => {
    await withLogFile(async (path, read) => {
      const { status } = runLogging(`
        import { spawn } from 'node:child_process';
        const child = spawn(process.execPath, ['--input-type=module', '--eval', \`
          import { configureLogging, log } from '\${LOGGER}';
          process.stdout.write(''); // From here on a full pipe refuses instead of blocking.
          configureLogging({ level: 'INFO', path: ${JSON.stringify(path)} });
          for (let i = 0; i < 20000; i++) log.serving.info('x'.repeat(100));
        \`], { stdio: ['ignore', 'pipe', 'inherit'] });
        child.once('exit', (code, signal) => process.exit(signal ? 99 : code));`);
      assert.equal(status, 0);
      assert.equal((await read()).length, 20000);
    });
  });

  it('survives a full disk', () => {
    const { status } = runLogging(
      `
      configureLogging({ level: 'INFO', path: '/dev/full' });
      for (let i = 0; i < 30000; i++) log.serving.info('a line that the file does not take ' + i);
      process.exit(7);`,
      ['ignore', 'ignore', 'pipe'],
    );
    assert.equal(status, 7);
  });

  for (const [index, level] of LOG_LEVELS.entries()) {
    it(`prints at ${level} everything from there on`, () => {
      covers('cli.log-levels');
      const { stdout } = runLogging(`configureLogging({ level: '${level}', path: null }); ${EVERY_LEVEL}`);
      const lines = stdout.split('\n').slice(0, -1);
      assert.deepEqual(lines.map(textOf), PRINTED.slice(index));
      assert.deepEqual(
        lines.map((line) => /\[serving\]\[(\w+)\]/.exec(line)?.[1]),
        PRINTED.slice(index),
      );
    });

    it(`says at ${level} what is enabled`, () => {
      const { stdout } = runLogging(`
        configureLogging({ level: '${level}', path: null });
        log.serving.error(${JSON.stringify(LOG_LEVELS)}.filter(isEnabled).join());`);
      assert.equal(textOf(stdout.trimEnd()), LOG_LEVELS.slice(index).join());
    });
  }

  it('prints INFO and above to standard output until it is configured', () => {
    const { stdout } = runLogging(EVERY_LEVEL);
    assert.deepEqual(stdout.split('\n').slice(0, -1).map(textOf), PRINTED.slice(2));
  });

  it('names thread, logger, level, file and line', () => {
    const { stdout } = runLogging("log.dagExecutor.warning('x')");
    assert.match(stdout, /^\[[^\]]+\]\[0\]\[dag_executor\]\[warning\]\[[^ ]+:\d+\] x\n$/);
  });

  it('has the loggers of OVMS', () => {
    const { stdout } = runLogging('log.serving.info(Object.values(log).map((logger) => logger.name).join())');
    assert.equal(textOf(stdout.trimEnd()), 'serving,modelmanager,dag_executor,sequence_manager,gcs,azurestorage,s3');
  });

  it('writes to standard output and appends to the file, making its directory', async () => {
    await withLogFile(async (path, read) => {
      await mkdir(dirname(path));
      await writeFile(path, '[2026-01-01 00:00:00.000][0][serving][info][a.ts:1] earlier\n');
      const { stdout } = runLogging(
        `configureLogging({ level: 'INFO', path: ${JSON.stringify(path)} }); log.s3.info('later');`,
      );
      assert.equal(textOf(stdout.trimEnd()), 'later');
      assert.deepEqual((await read()).map(textOf), ['earlier', 'later']);
    });
  });

  it('keeps standard output silent for programs that embed the server', async () => {
    await withLogFile(async (path, read) => {
      const { stdout } = runLogging(
        `configureLogging({ level: 'INFO', path: ${JSON.stringify(path)}, stdout: null }); log.serving.info('x');`,
      );
      assert.equal(stdout, '');
      assert.deepEqual((await read()).map(textOf), ['x']);
    });
  });

  it('has written every line when the process ends at once', async () => {
    for (const end of ['process.exit(0)', "process.kill(process.pid, 'SIGKILL')"]) {
      await withLogFile(async (path, read) => {
        runLogging(`
          configureLogging({ level: 'INFO', path: ${JSON.stringify(path)}, stdout: null });
          for (let i = 0; i < 200; i++) log.serving.info('line ' + i);
          ${end};`);
        assert.equal((await read()).length, 200, end);
      });
    }
  });

  it('writes whole lines from several threads to one file, each with its thread id', async () => {
    await withLogFile(async (path, read) => {
      const { status } = runLogging(`
        import { Worker } from 'node:worker_threads';
        const source = \`import('\${LOGGER}').then(({ configureLogging, log }) => {
          configureLogging({ level: 'INFO', path: ${JSON.stringify(path)}, stdout: null });
          for (let i = 0; i < 300; i++) log.serving.info('x'.repeat(200));
        })\`;
        for (let i = 0; i < 3; i++) new Worker(source, { eval: true });`);
      assert.equal(status, 0);
      const lines = await read();
      assert.equal(lines.length, 900);
      assert.ok(lines.every((line) => textOf(line) === 'x'.repeat(200)));
      assert.deepEqual([...new Set(lines.map((line) => /^\[[^\]]+\]\[(\d+)\]/.exec(line)?.[1]))].sort(), [
        '1',
        '2',
        '3',
      ]);
    });
  });

  it('takes a new level and a new file', async () => {
    await withLogFile(async (path, read) => {
      const { stdout } = runLogging(`
        configureLogging({ level: 'ERROR', path: null }); log.serving.info('not this');
        configureLogging({ level: 'DEBUG', path: ${JSON.stringify(path)} }); log.serving.debug('this');`);
      assert.equal(textOf(stdout.trimEnd()), 'this');
      assert.deepEqual((await read()).map(textOf), ['this']);
    });
  });
});
