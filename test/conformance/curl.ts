import { spawn, spawnSync } from 'node:child_process';

/** What curl received, the interim answers (100, 101) before the last one aside. */
export interface CurlAnswer {
  readonly version: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Status codes of interim answers. */
  readonly interim: readonly number[];
}

/** Curl's version line, or `null` where there is no curl. */
export function curlVersion(): string | null {
  const { stdout, error } = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  return error ? null : stdout.split(' ', 2).join(' ');
}

/** Whether this curl was built with a feature, for example `HTTP2`. */
export function curlHas(feature: string): boolean {
  const { stdout, error } = spawnSync('curl', ['--version'], { encoding: 'utf8' });
  return !error && /^Features:(.*)$/m.exec(stdout)?.[1]?.split(' ').includes(feature) === true;
}

/** Runs curl; what `input` holds is its standard input. Rejects when curl itself fails. */
export async function curl(args: readonly string[], input: string | Uint8Array = ''): Promise<CurlAnswer> {
  return parse(await runCurl(['--include', ...args], input));
}

/** Runs curl and returns what it prints. */
export function runCurl(args: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  const common = ['--disable', '--silent', '--show-error', '--noproxy', '*', '--max-time', '20'];
  return new Promise((resolve, reject) => {
    const child = spawn('curl', [...common, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(stdout);
      else reject(new Error(`curl ended with ${code}: ${stderr}`));
    });
    child.stdin.on('error', () => undefined); // it may not want its input
    child.stdin.end(input);
  });
}

function parse(printed: string): CurlAnswer {
  const interim: number[] = [];
  let rest = printed;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const [statusLine = '', ...headerLines] = rest.slice(0, end).split('\r\n');
    const status = /^HTTP\/([\d.]+) (\d{3})/.exec(statusLine);
    if (end < 0 || status === null) throw new Error(`no answer in ${JSON.stringify(printed)}`);
    rest = rest.slice(end + 4);
    const code = Number(status[2]);
    if (code >= 200) {
      return { version: status[1]!, status: code, headers: new Map(headerLines.map(header)), body: rest, interim };
    }
    interim.push(code);
  }
}

function header(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
