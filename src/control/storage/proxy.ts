import { getProxyForUrl } from 'proxy-from-env';

/**
 * The proxy that the environment names for a host: `https_proxy`, else `http_proxy`, in lower or upper case, whatever the storage
 * itself speaks (as OVMS 2026.2.1), unless `no_proxy` lists the host. `null`: none.
 */
export function proxyFor(host: string, variable: 'https_proxy' | 'http_proxy' = 'https_proxy'): URL | null {
  const https = variable === 'https_proxy' ? getProxyForUrl(`https://${host}`) : '';
  const proxy = https === '' ? getProxyForUrl(`http://${host}`) : https;
  return proxy === '' ? null : new URL(proxy);
}
