import { different, supported } from '../row.js';

/** States, watcher, requests in flight, reload, start and stop. */
export const lifeCycle = {
  'life-cycle.states': supported(
    'a version goes through `START` (10), `LOADING` (20), `AVAILABLE` (30), `UNLOADING` (40) and `END` (50), and stays listed at `END`',
  ),
  'life-cycle.failed-load': supported('a version that fails to load rests at `LOADING` with code 2, `UNKNOWN`'),
  'life-cycle.failed-pipeline': supported('a refused pipeline rests at `LOADING` with code 9, `FAILED_PRECONDITION`'),
  'life-cycle.error-message': supported('`error_message` of a status is the name of its code, `OK` included'),
  'life-cycle.all-versions': supported(
    'the status without a version lists every version ever seen; that of a pipeline is version 1, whatever is asked',
  ),

  'life-cycle.watch-config': supported(
    'every `file_system_poll_wait_seconds` config.json is read again if its content changed',
  ),
  'life-cycle.watch-versions': supported(
    'every look scans the version directories of every model anew and applies the version policy; in single-model mode, too',
  ),
  'life-cycle.watch-pipelines': supported('every look validates the pipelines anew whose models changed'),
  'life-cycle.watch-off': supported(
    '`file_system_poll_wait_seconds 0` turns all three off: only `POST /v1/config/reload` looks',
  ),
  'life-cycle.retry': different(
    'a version that failed is tried again at every look, and each failure is logged',
    'tried at every look, logged with doubling distances',
  ),
  'life-cycle.latest-falls-back': supported('where the newest version fails, `latest` serves the next older one'),
  'life-cycle.copied-meanwhile': supported(
    'a version directory whose files are still being copied is served once they are there',
  ),
  'life-cycle.reload-triggers': supported(
    'a loaded version is loaded again for another base path, device, batch size, shape, layout, `nireq`, `plugin_config`, `allow_cache` or stateful settings, and for nothing else',
  ),
  'life-cycle.stateful-fixed': supported(
    '`stateful` cannot change once loaded: `Model type cannot be changed after it is loaded`',
  ),
  'life-cycle.new-before-old': supported('new versions load before old ones are retired'),

  'life-cycle.in-flight': supported(
    'a version that is retired or loaded again is unloaded behind the requests that run on it; all of them are answered',
  ),
  'life-cycle.wait-for-model': supported(
    'a request to a loading model waits up to 10 s, then: UNAVAILABLE, 404, `Model with requested version is not loaded yet`',
  ),
  'life-cycle.wait-for-default': different(
    'while no version is available, a request without a version is refused at once: `Model with requested version is not found`',
    'waits, as one with a version does: clients that start with the server need no retries',
  ),
  'life-cycle.wait-for-scan': supported(
    'a request to a model that the configuration lists and whose directories nobody has looked at yet waits as for a loading one; so it is from the first moment that the ports answer',
  ),
  'life-cycle.retired': supported(
    'a version that is unloading or has ended: NOT_FOUND, 404, `Model with requested version is retired`',
  ),
  'life-cycle.metadata-waits-not': supported('questions about metadata never wait'),
  'life-cycle.default-version': supported(
    'the default version is the highest available one; without any: NOT_FOUND, 404, `Model with requested version is not found`',
  ),
  'life-cycle.reload-gap': different(
    'a version that is loaded again with other settings does not answer meanwhile',
    'serves on until its replacement is ready: no request waits or fails',
  ),

  'life-cycle.slow-model': different(
    'the models of a configuration load one after the other',
    'they load at the same time, and one that takes long holds up no other change of the same or of a later configuration; one that removes the model, or asks for other settings of it, overtakes its load',
  ),

  'life-cycle.reload-waits': supported(
    '`POST /v1/config/reload` answers when all that it has begun serves or has failed; where the file has not changed since the last look, when all that is under way does',
  ),
  'life-cycle.reload-201': different(
    '`POST /v1/config/reload` answers 200 whether or not something was reloaded, other than documented',
    '201 when something was reloaded and 200 when not, as documented',
  ),
  'life-cycle.reload-faults': supported(
    'where one servable of a good file fails the rest is applied, and this and every following call answers an error: 500 for a model that cannot be read or a pipeline, 400 for a missing base path, 412 for a device that refuses the model',
  ),
  'life-cycle.reload-bad-file': supported(
    'a file that is no JSON or breaks the schema: 412, `Reloading config file failed. Check server logs for more info.`',
  ),
  'life-cycle.reload-no-file': supported('a missing file: 500, `Config file not found or cannot open.`'),
  'life-cycle.reload-versions': supported(
    'versions that fail, or whose removal invalidates a pipeline: `Reloading models versions failed. Check server logs for more info.`',
  ),
  'life-cycle.config-text': supported(
    '`GET /v1/config` and a good reload: all models and pipelines by name, to the last blank; `{}` for none',
  ),
  'life-cycle.config-error-text': supported('their errors are `{\\n\\t"error": "<text>"\\n}`'),

  'life-cycle.bad-file-at-start': supported(
    'a config.json that is missing, no JSON or against the schema ends the start with exit code 1, behind three tries',
  ),
  'life-cycle.bad-file-on-reload': supported('on reload it changes nothing, and the next content is read'),
  'life-cycle.half-written': supported(
    'a config.json that is read half written is read again; none that was replaced by rename or by switching a symbolic link is missed',
  ),
  'life-cycle.bad-model': supported(
    'one bad model or pipeline does not keep the server from starting nor disturb the others',
  ),
  'life-cycle.bad-entry': supported('a model whose entry becomes invalid is retired; the others serve on'),
  'life-cycle.names-kept': supported(
    'names are never freed: a model cannot take that of a retired pipeline, nor a pipeline that of a retired model',
  ),
  'life-cycle.ports-first': supported('the ports answer before the models are loaded'),
  'life-cycle.server-ready': supported(
    'the server is ready (`ServerReady`, `/v2/health/ready`) once the first load pass has ended, also with models that failed, and stays so',
  ),
  'life-cycle.single-model': supported(
    'in single-model mode a model that fails to load ends the start with exit code 1; one without versions does not',
  ),
  'life-cycle.under-load': supported(
    'versions, models, pipelines, libraries, aliases and params that come, go and change under load give the documented codes only',
  ),

  'life-cycle.stop': different(
    'SIGTERM and SIGINT end the process with exit code 0; gRPC calls get 5 s, REST calls in flight are reset',
    'every accepted call of both is finished, however long it takes; connections that come meanwhile are refused, and clients that do not move have a limit',
  ),
  'life-cycle.stop-while-loading': supported(
    'a signal while models load ends the process with 0 behind what loads; who waits for a model is answered',
  ),
  'life-cycle.second-signal': different(
    'a second signal changes nothing',
    'ends the process at once with exit code 1, whatever runs, a custom node that hangs among it',
  ),
};
