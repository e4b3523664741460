/**
 * Pings find peers that vanished and end connections that broke the HTTP/2 framing, which Node 20 leaves open and deaf. grpc-js by
 * itself never pings, gRPC's C++ server every two hours: too late for a descriptor that nobody uses.
 */
export const KEEPALIVE = { 'grpc.keepalive_time_ms': 300_000, 'grpc.keepalive_timeout_ms': 20_000 } as const;
