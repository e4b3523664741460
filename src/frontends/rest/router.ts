import { ServingError } from '../../errors.js';

/** Methods a route may have; whatever else a client sends is answered with REST_UNSUPPORTED_METHOD. */
export type RouteMethod = 'GET' | 'POST';

/**
 * One line of the table of routes. Named groups of `path` become parameters, percent-decoded after the match, so that a name may
 * hold any character.
 */
export interface Route {
  readonly method: RouteMethod;
  readonly path: RegExp;
}

export interface RouteMatch<R extends Route> {
  readonly route: R;
  readonly parameters: RouteParameters;
}

export type RouteParameters = Readonly<Record<string, string | undefined>>;

/**
 * Finds the first route of the table that fits.
 * @param url the request target as sent: path or absolute form; query and fragment are ignored.
 * @throws ServingError PATH_INVALID for a path that climbs with `..`, REST_UNSUPPORTED_METHOD for a known path with another
 *   method and for methods no route has, REST_INVALID_URL else (as OVMS 2026.2.1).
 */
export function matchRoute<R extends Route>(routes: readonly R[], method: string, url: string): RouteMatch<R> {
  const path = pathOf(url);
  const decodedPath = percentDecode(path);
  if (decodedPath.includes('../') || decodedPath.includes('/..')) throw new ServingError('PATH_INVALID');
  const found =
    matchPath(routes, method, path, percentDecode) ??
    // Some clients escape the colon of `:predict`; OVMS decodes the whole path before it looks.
    matchPath(routes, method, decodedPath, (text) => text);
  if (found !== null) return found;
  const known = routes.some(({ path: pattern }) => pattern.test(path) || pattern.test(decodedPath));
  throw new ServingError(known || !isRouteMethod(method) ? 'REST_UNSUPPORTED_METHOD' : 'REST_INVALID_URL');
}

const LARGEST_VERSION = 2n ** 63n - 1n;

/**
 * Version of a URL; `null` when it names none.
 * @throws ServingError MODEL_VERSION_MISSING beyond int64 (as OVMS 2026.2.1).
 */
export function parseVersion(digits: string | undefined): bigint | null {
  if (digits === undefined) return null;
  const version = BigInt(digits);
  if (version > LARGEST_VERSION) throw new ServingError('MODEL_VERSION_MISSING');
  return version;
}

function matchPath<R extends Route>(
  routes: readonly R[],
  method: string,
  path: string,
  decode: (text: string) => string,
): RouteMatch<R> | null {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = route.path.exec(path);
    if (match !== null) return { route, parameters: decodeGroups(match.groups ?? {}, decode) };
  }
  return null;
}

function decodeGroups(groups: RouteParameters, decode: (text: string) => string): RouteParameters {
  return Object.fromEntries(
    Object.entries(groups).map(([name, text]) => [name, text === undefined ? undefined : decode(text)]),
  );
}

function pathOf(url: string): string {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}

function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new ServingError('REST_INVALID_URL', '', { cause });
  }
}

function isRouteMethod(method: string): method is RouteMethod {
  return method === 'GET' || method === 'POST';
}
