import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChannelArguments } from '#src/config/channel-arguments.js';

describe('gRPC channel arguments', () => {
  for (const text of ['a', 'a=1,', '=1', 'a=1,b', 'a=b=c', ',']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseChannelArguments(text), {
        code: 'CONFIG_VALUE_INVALID',
        message: /--grpc_channel_arguments: expected name=value, received "/,
      });
    });
  }

  it('makes integers numbers and leaves the rest text', () => {
    assert.deepEqual(parseChannelArguments('grpc.max_connection_age_ms=2000,a=x, b=-1,c=1.5,d='), {
      'grpc.max_connection_age_ms': 2000,
      a: 'x',
      b: -1,
      c: '1.5',
      d: '',
    });
    assert.deepEqual(parseChannelArguments(''), {});
  });
});
