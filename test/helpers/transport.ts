/**
 * The server of the gRPC port that servers under test are started with: `VINERY_TEST_GRPC_TRANSPORT`, so that the same tests run over
 * each of them; without it the product's own choice.
 */
export const TRANSPORT_FLAGS: readonly string[] =
  process.env['VINERY_TEST_GRPC_TRANSPORT'] === undefined
    ? []
    : ['--grpc_transport', process.env['VINERY_TEST_GRPC_TRANSPORT']];
