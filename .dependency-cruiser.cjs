/** Imports point one way: frontends, servables, dag, inference, native; tensors, errors, settings and the logger are leaves. */
const forbid = (name, from, to, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: to },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    forbid('tensors-know-nobody', '^src/tensors', '^src/(?!tensors|errors|texts)', 'memory and shapes are a leaf'),
    forbid('errors-know-nobody', '^src/errors', '^src/(?!errors|texts)', 'the catalogue is a leaf'),
    forbid(
      'native-knows-leaves',
      '^src/native',
      '^src/(?!native|errors|texts|tensors)',
      'the boundary knows no scheduler',
    ),
    forbid(
      'inference-below-dag',
      '^src/inference',
      '^src/(frontends|servables|dag|control|data-plane|client)',
      'backends know tensors only',
    ),
    forbid(
      'nodes-below-dag',
      '^src/nodes',
      '^src/(?!nodes|inference|native|tensors|errors|texts|observability)',
      "a user's code knows its tensors, not who runs it",
    ),
    forbid(
      'inference-knows-no-nodes',
      '^src/(inference|native|tensors|openvino)',
      '^src/nodes',
      'nodes are built on inference',
    ),
    forbid(
      'dag-is-pure',
      '^src/dag',
      '^src/(frontends|servables|inference|native|control|data-plane|client|blocking)',
      'the engine does no I/O',
    ),
    forbid(
      'servables-below-frontends',
      '^src/servables',
      '^src/(frontends|control|data-plane|client)',
      'no wire in the domain',
    ),
    forbid(
      'frontends-are-wire-only',
      '^src/frontends',
      '^src/(control|data-plane|client|inference|native|dag|ingress)',
      'wire to domain, nothing else',
    ),
    forbid(
      'one-door-to-the-addon',
      '^src/(?!native|inference|nodes|blocking|control|data-plane|openvino|main)',
      '^src/native/load',
      'who may load the addon',
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
